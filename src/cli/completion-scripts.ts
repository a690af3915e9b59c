import type { Shell } from './completion-sources.ts';

/**
 * What a shell is taught. The scripts know no command: they ask `rkt __complete`, which reads the unfinished line with the
 * parser and the tables of the commands themselves. Its answer is a kind (`words`, `files`, `directories`), then a candidate
 * a line, with a TAB before what it is about.
 */
export const COMPLETION_SCRIPTS: Readonly<Record<Shell, string>> = {
  // Bash splits words at = and : as well. The words are put together again by what stands between them in the line, and of a
  // candidate only what is behind the last of those characters replaces what is typed.
  bash: `# bash completion for rkt
_rkt() {
  local rest=\${COMP_LINE:0:COMP_POINT} words=() blank piece i
  for ((i = 0; i <= COMP_CWORD; i++)); do
    blank=\${rest%%[![:blank:]]*}
    rest=\${rest#"$blank"}
    piece=\${COMP_WORDS[i]}
    ((i == COMP_CWORD)) && piece=$rest
    if ((i == 0)) || [[ -n $blank ]]; then words+=("$piece"); else words[-1]+=$piece; fi
    rest=\${rest#"$piece"}
  done
  local typed=\${words[-1]} answer line kept
  mapfile -t answer < <("\${words[0]}" __complete -- "\${words[@]:1}" 2>/dev/null)
  kept=\${typed%"\${typed##*[$COMP_WORDBREAKS]}"}
  COMPREPLY=()
  case \${answer[0]} in
    files | directories)
      [[ $typed == --*=* ]] && typed=\${typed#*=}
      local action=file
      [[ \${answer[0]} == directories ]] && action=directory
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -A "$action" -- "$typed")
      ;;
    words)
      for line in "\${answer[@]:1}"; do
        line=\${line%%$'\\t'*}
        COMPREPLY+=("\${line#"$kept"}")
      done
      [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *[=:] ]] && compopt -o nospace
      ;;
  esac
}
complete -F _rkt rkt
`,
  // Flags that want a value are not followed by a blank.
  zsh: `#compdef rkt
_rkt() {
  local -a answer spaced joined
  local line word about
  answer=("\${(@f)$("\${(Q)words[1]}" __complete -- "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  case $answer[1] in
    files) [[ $PREFIX == --*=* ]] && compset -P '*='; _files ;;
    directories) [[ $PREFIX == --*=* ]] && compset -P '*='; _files -/ ;;
    words)
      for line in "\${(@)answer[2,-1]}"; do
        word=\${line%%$'\\t'*} about=\${line#*$'\\t'}
        line=\${word//:/\\\\:}\${about:+:$about}
        if [[ $word == *[=:] ]]; then joined+=("$line"); else spaced+=("$line"); fi
      done
      _describe -t words 'rkt' spaced -- joined -S ''
      ;;
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _rkt "$@"; else compdef _rkt rkt; fi
`,
  fish: `# fish completion for rkt
function __rkt_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    set -l answer ($words[1] __complete -- $words[2..] "$typed" 2>/dev/null)
    set -l prefix (string match -r -- '^--[^=]*=' "$typed")
    set -l path (string replace -r -- '^--[^=]*=' '' "$typed")
    switch "$answer[1]"
        case files
            printf '%s\\n' "$prefix"(__fish_complete_path "$path")
        case directories
            printf '%s\\n' "$prefix"(__fish_complete_directories "$path" '')
        case words
            printf '%s\\n' $answer[2..]
    end
end
complete -c rkt -f -a '(__rkt_complete)'
`,
};
