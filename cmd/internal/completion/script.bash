# bash completion for PROGRAM

_PROGRAM() {
    local typed=${COMP_WORDS[COMP_CWORD]} line
    [[ $typed == "=" ]] && typed=""
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ $line == ":files" ]]; then
            compopt -o filenames 2>/dev/null
            while IFS= read -r line; do
                COMPREPLY+=("$line")
            done < <(compgen -f -- "$typed")
        else
            line=${line%%$'\t'*}
            # bash splits --flag=value into three words and replaces only the last one.
            if [[ ${COMP_WORDS[COMP_CWORD]} == "=" || ${COMP_WORDS[COMP_CWORD - 1]} == "=" ]]; then
                line=${line#*=}
            fi
            COMPREPLY+=("$line")
        fi
    done < <(PROGRAM __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}

complete -F _PROGRAM PROGRAM
