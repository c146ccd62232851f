# SPDX-License-Identifier: MIT
# Completes command lines of ampsctl in fish.

complete -c ampsctl -f

complete -c ampsctl -l json -d 'Answer in JSON'
complete -c ampsctl -l url -x -d 'Where the job API of AMPS is'
complete -c ampsctl -l socket -r -F -d 'The unix socket of that API'
complete -c ampsctl -l bus -f -a 'session system' -d 'Find AMPS on D-Bus'
complete -c ampsctl -l timeout -x -d 'How long an answer may take'
complete -c ampsctl -l no-color -d 'No colours'
complete -c ampsctl -s h -l help -d 'Show help'
complete -c ampsctl -l version -d 'Print the version'

set -l first '__fish_is_nth_token 1'
complete -c ampsctl -n $first -a status -d 'Show how AMPS is'
complete -c ampsctl -n $first -a healthcheck -d 'Say by the exit status whether AMPS is well'
complete -c ampsctl -n $first -a jobs -d 'List the jobs in flight'
complete -c ampsctl -n $first -a top -d 'Show live what AMPS does'
complete -c ampsctl -n $first -a acknowledge -d 'Say that jobs are done'
complete -c ampsctl -n $first -a reject -d 'Give up on jobs, or give them back'
complete -c ampsctl -n $first -a heartbeat -d 'Let the deadlines of jobs start anew'
complete -c ampsctl -n $first -a publish -d 'Publish events'
complete -c ampsctl -n $first -a pause -d 'Take no more messages'
complete -c ampsctl -n $first -a resume -d 'Take messages again'
complete -c ampsctl -n $first -a drain -d 'Take no more, and give back what has not begun'
complete -c ampsctl -n $first -a concurrency -d 'Set how many jobs may be in the workload'
complete -c ampsctl -n $first -a help -d 'Show all commands, or what one does'

set -l in __fish_seen_subcommand_from
complete -c ampsctl -n "$in healthcheck" -l ready -d 'Ask whether messages are taken'
complete -c ampsctl -n "$in jobs" -s n -l limit -x -d 'Of the jobs that are listed'
complete -c ampsctl -n "$in jobs" -s w -l watch -d 'Show them again and again'
complete -c ampsctl -n "$in jobs" -l interval -x -d 'The time between two looks'
complete -c ampsctl -n "$in jobs" -l count -x -d 'How many looks there are'
complete -c ampsctl -n "$in top" -l interval -x -d 'The time between two looks'
complete -c ampsctl -n "$in top" -l count -x -d 'How many looks there are'
complete -c ampsctl -n "$in reject" -s r -l reason -x -d 'Why'
complete -c ampsctl -n "$in reject" -l reschedule -d 'Give the jobs back'
complete -c ampsctl -n "$in reject" -l delay -x -d 'When'
complete -c ampsctl -n "$in heartbeat" -l extend -x -d 'How much time they need'
complete -c ampsctl -n "$in publish" -s k -l keep-going -d 'Go on with the others'
complete -c ampsctl -n "$in publish" -F
complete -c ampsctl -n "$in drain" -s w -l wait -f -d 'Until no job is in flight'
