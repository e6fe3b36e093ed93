# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion for cgm(1). Commands, options, what options take, and cgroups are asked of cgm itself.
# Names of cgroups may be somebody else's choice: they are matched and quoted, never expanded as compgen -W does.

# Keeps of the lines on standard input those that begin with the current word.
_cgm_keep() {
  local line
  while IFS= read -r line; do
    [[ -n $line ]] || continue
    line=$(printf '%q' "$line")
    [[ $line == "$current"* ]] && COMPREPLY+=("$line")
  done
}

# cgm with what was said of the daemon before the command.
_cgm_ask() {
  "$cgm" "${way[@]}" "$@" 2>/dev/null
}

_cgm_commands() {
  _cgm_ask --help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p'
}

# Help of the command so far: of one of a family, `ns list`, too.
_cgm_help() {
  _cgm_ask ${command:+"$command"} ${member:+"$member"} --help
}

# The commands of a family.
_cgm_members() {
  _cgm_ask "$command" --help | sed -nE "s/^  $command ([a-z][a-z-]*) .*/\1/p"
}

_cgm_options() {
  _cgm_help | grep -oE -- '--[a-z][a-z-]*' | sort -u
}

# What an option takes, as help says it: CGROUP, PATH, SIZE; nothing where it takes nothing.
_cgm_takes() {
  [[ $1 != *[^a-zA-Z-]* ]] || return 0
  _cgm_help | sed -nE "s/^  (-[a-zA-Z],)?$1(,--[a-z-]+)? ([A-Z]+).*/\3/p"
}

# The words that an option takes, where help says them: HOW:{allow,deny}.
_cgm_choices() {
  _cgm_help | sed -nE "s/^  (-[a-zA-Z],)?$1(,--[a-z-]+)? [A-Z]+:\{([^}]*)\}.*/\3/p" | tr , '\n'
}

# True where a word begins the line of the program that the command runs.
_cgm_begins_program() {
  case "$command $member" in
    'run ' | 'ns new') ;;
    'ns enter') ((${#arguments[@]} > 0)) || return 1 ;; # behind the target
    *) return 1 ;;
  esac
  [[ $1 == -- || $1 != -* ]]
}

# Children of the cgroup that the current word names so far, in any hierarchy.
_cgm_cgroups() {
  local above= controller
  [[ $current == */* ]] && above=${current%/*}
  above=${above//\\/}
  for controller in $(_cgm_ask listcontrollers | cut -d, -f1); do
    _cgm_ask listchildren "$controller" "$above"
  done | sort -u | while IFS= read -r controller; do printf '%s\n' "${above:+$above/}$controller"; done
}

_cgm_controllers() {
  echo all
  _cgm_ask listcontrollers | tr , '\n'
}

_cgm_keys() {
  _cgm_ask listkeys "$1" "${2//\\/}" | cut -d' ' -f1
}

_cgm_keep_cgroups() {
  compopt -o nospace 2>/dev/null # there may be more below
  _cgm_keep < <(_cgm_cgroups)
}

_cgm() {
  local cgm=${COMP_WORDS[0]/#\~/$HOME} current=${COMP_WORDS[COMP_CWORD]} command= member= takes= option= word i
  local -a way=() arguments=()
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]} takes=
    if _cgm_begins_program "$word"; then
      # From here on it is the program's line.
      [[ $word == -- ]] && i=$((i + 1))
      if ((i == COMP_CWORD)); then
        mapfile -t COMPREPLY < <(compgen -c -- "$current")
      elif declare -F _command_offset >/dev/null; then
        _command_offset "$i"
      else
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
      fi
      return
    elif [[ $word == -* ]]; then
      takes=$(_cgm_takes "$word")
      if [[ ${COMP_WORDS[i + 1]} == = ]]; then
        takes=${takes:-FILE} # what needs nothing may take it: --net=FILE
        i=$((i + 1))         # `=` is a word of its own to readline
      fi
      option=$word
      [[ -z $takes ]] || i=$((i + 1))
      [[ $word != --direct ]] || way+=("$word")
      [[ $word != --socket || $i -ge $COMP_CWORD ]] || way+=("$word" "${COMP_WORDS[i]//\\/}")
    elif [[ -z $command ]]; then
      command=$word
    elif [[ $command == ns && -z $member ]]; then
      member=$word
    else
      arguments+=("$word")
    fi
  done
  [[ $current != = ]] || current=
  if [[ -n $takes && $i -gt $COMP_CWORD ]]; then
    case $takes in
      CGROUP) _cgm_keep_cgroups ;;
      PATH | FILE) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
      DIR) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
      HOW) _cgm_keep < <(_cgm_choices "$option") ;;
    esac
    return
  fi
  if [[ $current == -* ]]; then
    _cgm_keep < <(_cgm_options)
    return
  fi
  if _cgm_begins_program "$current"; then
    mapfile -t COMPREPLY < <(compgen -c -- "$current")
    return
  fi
  case $command in
    '') _cgm_keep < <(_cgm_commands) ;;
    ns)
      if [[ -z $member ]]; then
        _cgm_keep < <(_cgm_members)
      elif [[ ${#arguments[@]} == 0 && $(_cgm_help | head -n 1) =~ TARGET|NAMESPACE ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
      fi
      ;;
    limit | stat | tree | freeze | thaw | kill | wait) _cgm_keep_cgroups ;;
    ping | listcontrollers | apiversion | controllers | doctor) ;;
    *)
      case ${#arguments[@]} in
        0) _cgm_keep < <(_cgm_controllers) ;;
        1) [[ $command == getpid* ]] || _cgm_keep_cgroups ;;
        2) [[ $command != @(getvalue|setvalue|chmodfile) ]] || _cgm_keep < <(_cgm_keys "${arguments[@]}") ;;
      esac
      ;;
  esac
}

complete -F _cgm cgm
