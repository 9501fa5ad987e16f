#compdef PROGRAM
# zsh completion for PROGRAM

_PROGRAM() {
    local -a found
    local line word files=
    for line in "${(@f)$(PROGRAM __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
        if [[ $line == ":files" ]]; then
            files=1
        elif [[ -n $line ]]; then
            word=${line%%$'\t'*}
            found+=("${word//:/\\:}:${line#*$'\t'}")
        fi
    done
    (( $#found )) && _describe PROGRAM found
    if [[ -n $files ]]; then
        [[ $words[CURRENT] == --*=* ]] && compset -P '--[^=]##='
        _files
    fi
}

# If this file is in a folder of $fpath, it is the body of the function; otherwise it is sourced.
if [[ $funcstack[1] == _PROGRAM ]]; then
    _PROGRAM "$@"
else
    compdef _PROGRAM PROGRAM
fi
