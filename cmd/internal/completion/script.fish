# fish completion for PROGRAM

function __PROGRAM_complete
    set -l before (commandline -opc)
    set -l typed (commandline -ct)
    for line in (PROGRAM __complete $before[2..-1] "$typed" 2>/dev/null)
        if test "$line" = ":files"
            set -l prefix (string match -r -- '^--[^=]*=' "$typed")
            for path in (__fish_complete_path (string replace -- "$prefix" "" "$typed"))
                echo "$prefix$path"
            end
        else
            echo "$line"
        end
    end
end

complete -c PROGRAM -f -a '(__PROGRAM_complete)'
