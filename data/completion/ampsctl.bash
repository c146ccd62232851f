# SPDX-License-Identifier: MIT
# Completes command lines of ampsctl in bash.

_ampsctl_commands='status healthcheck jobs top acknowledge reject heartbeat publish pause resume
drain concurrency dead help'
_ampsctl_families='dead'
_ampsctl_dead='list show redrive purge'
_ampsctl_general='--json --url= --socket= --bus --timeout= --no-color --help --version'

_ampsctl_options ()
{
  case $1 in
    status) ;;
    healthcheck) echo --ready ;;
    jobs) echo --limit= --watch --interval= --count= ;;
    top) echo --interval= --count= ;;
    acknowledge) ;;
    reject) echo --reason= --reschedule --delay= ;;
    heartbeat) echo --extend= ;;
    publish) echo --keep-going ;;
    pause) ;;
    resume) ;;
    drain) echo --wait ;;
    concurrency) ;;
    'dead list') echo --id= --reason= --type= --older-than= --limit= ;;
    'dead show') ;;
    'dead redrive') echo --id= --reason= --type= --older-than= --limit= --all --dry-run ;;
    'dead purge') echo --id= --reason= --type= --older-than= --limit= --all --dry-run ;;
    help) ;;
  esac
}

# The command that is being typed, of one word or of two: the first words that are no options.
_ampsctl_command ()
{
  local word words=''

  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"
  do
    case $word in
      -*) ;;
      *)
        words="${words:+$words }$word"
        case " $_ampsctl_families " in
          *" $words "*) ;;
          *) break ;;
        esac
        ;;
    esac
  done
  echo "$words"
}

_ampsctl ()
{
  local word=${COMP_WORDS[COMP_CWORD]} command candidates

  command=$(_ampsctl_command)
  case $word in
    -*) candidates="$_ampsctl_general $(_ampsctl_options "$command")" ;;
    *)
      case $command in
        ''|help) candidates=$_ampsctl_commands ;;
        dead) candidates=$_ampsctl_dead ;;
        publish)
          compopt -o filenames 2>/dev/null
          mapfile -t COMPREPLY < <(compgen -f -- "$word")
          return
          ;;
        *) candidates='' ;;
      esac
      ;;
  esac

  mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "$word")
  # A value follows at once.
  case ${COMPREPLY[0]} in
    *=) compopt -o nospace 2>/dev/null ;;
  esac
}

complete -F _ampsctl ampsctl
