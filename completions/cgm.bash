# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion for cgm(1). Commands and options are asked of cgm itself.

_cgm_commands() {
  cgm --help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p'
}

_cgm_options() {
  cgm "$@" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*' | sort -u
}

# Children of the cgroup that the word names so far, in any hierarchy.
_cgm_cgroups() {
  local parent= controller
  [[ $1 == */* ]] && parent=${1%/*}
  for controller in $(cgm listcontrollers 2>/dev/null | cut -d, -f1); do
    cgm listchildren "$controller" "$parent" 2>/dev/null
  done | sort -u | sed "s#^#${parent:+$parent/}#"
}

_cgm_controllers() {
  echo all
  cgm listcontrollers 2>/dev/null | tr , '\n'
}

_cgm() {
  local current=${COMP_WORDS[COMP_CWORD]} command= position=0 word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ -n $command ]]; then
      [[ $word == -* ]] || position=$((position + 1))
    elif [[ $word == --socket ]]; then
      i=$((i + 1))
    elif [[ $word != -* ]]; then
      command=$word
    fi
  done
  if [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_cgm_options $command)" -- "$current")
    return
  fi
  case $command in
    '') mapfile -t COMPREPLY < <(compgen -W "$(_cgm_commands)" -- "$current") ;;
    run) mapfile -t COMPREPLY < <(compgen -c -- "$current") ;;
    limit | stat | tree | freeze | thaw | kill | wait)
      mapfile -t COMPREPLY < <(compgen -W "$(_cgm_cgroups "$current")" -- "$current")
      ;;
    ping | listcontrollers | apiversion | controllers | doctor) ;;
    *)
      case $position in
        0) mapfile -t COMPREPLY < <(compgen -W "$(_cgm_controllers)" -- "$current") ;;
        1) [[ $command == getpid* ]] || mapfile -t COMPREPLY < <(compgen -W "$(_cgm_cgroups "$current")" -- "$current") ;;
        2)
          [[ $command == getvalue || $command == setvalue || $command == chmodfile ]] &&
            mapfile -t COMPREPLY < <(compgen -W "$(cgm listkeys "${COMP_WORDS[COMP_CWORD - 2]}" "${COMP_WORDS[COMP_CWORD - 1]}" 2>/dev/null | cut -d' ' -f1)" -- "$current")
          ;;
      esac
      ;;
  esac
}

complete -F _cgm cgm
