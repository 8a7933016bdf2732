#!/bin/sh
# The host's half of the job protocol: a named command that outlives the connection and the controller,
# and is started at most once. Called as: job.sh FOLDER VERB KEY ARGUMENTS…
#
# FOLDER/forgotten      keys whose folder went, one a line: they are never started again
# FOLDER/KEY/   lock        flock: whoever decides anything holds it
#               epoch       highest fencing number seen      generation   counts `settle`
#               digest      of the specification             note         one line for the controller
#               argv stdin  the specification. They may hold secrets: the runner removes them before the command
#                           begins; those of a runner that never came go when somebody asks, or with a later job
#               in.*        a specification on its way here, under the same rules
#               started     boot id, process, its start time. Created exclusively, before any effect
#               child       process and start time of the command
#               out err     output, capped                   exit         its status: renamed into place last
#               stopping    the command was told to end      collected    the controller has the result
#
# INVARIANT: the command runs only after `started` is durable, and `started` never goes before KEY is in `forgotten`.
# INVARIANT: what is there as `exit` and `child` was read back first; their space was taken before the command began.
set -u
umask 077
LC_ALL=C
export LC_ALL
jobs=$1 verb=$2 key=$3
shift 3
case $key in '' | *[!a-z0-9_]*) echo "error the key is not well formed"; exit 1 ;; esac
dir=$jobs/$key

say() { printf '%s\n' "$*"; }
# What failed because the disk is full says so: the controller tells people.
fail() { # Nothing was launched.
    free=$(df -Pk "$jobs" 2>/dev/null | tail -n 1 | { read -r _ _ _ free _ && say "$free"; })
    if [ "${free:-1000}" -lt 64 ]; then say "error disk-full $*"; else say "error $*"; fi
    exit 1
}
uptime() { read -r seconds _ </proc/uptime && say "${seconds%.*}"; }
boot_id() { cat /proc/sys/kernel/random/boot_id; }
durable() { sync -- "$@"; }
value() { cat "$1" 2>/dev/null || printf '%s\n' "$2"; } # FILE DEFAULT
size() { if [ -e "$1" ]; then wc -c <"$1"; else echo 0; fi; }
number() { # FILE
    digits=$(value "$1" 0)
    case $digits in '' | *[!0-9]*) say 0 ;; *) say "$digits" ;; esac
}

# The start time of a process, which tells it from a later one with the same number; nothing for a dead one.
start_time() {
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    set -- ${stat##*) }
    case $1 in Z | X) return 1 ;; esac
    shift 19
    say "$1"
}
alive() { [ -n "${2:-}" ] && [ "$(start_time "$1")" = "$2" ]; } # PID START

ended() {
    code=''
    read -r code <"$dir/exit"
    case $code in
    '' | *[!0-9]* | ????*) say "indeterminate lost" ;;
    *) say "done $code $(size "$dir/out") $(size "$dir/err")" ;;
    esac
}

# What is known, in one line: none | running | done CODE OUT ERR | indeterminate WHY
state() {
    if [ -e "$dir/exit" ]; then ended; return; fi
    if [ ! -e "$dir/started" ]; then
        if forgotten; then say "indeterminate forgotten"; else say none; fi
        return
    fi
    read -r boot runner began <"$dir/started"
    if [ "$boot" != "$(boot_id)" ]; then say "indeterminate rebooted"; return; fi
    if alive "$runner" "$began"; then say running; return; fi
    child='' child_began=''
    if [ -e "$dir/child" ]; then read -r child child_began <"$dir/child"; fi
    if alive "$child" "$child_began"; then say running; return; fi
    # It may have ended between the first look and now.
    if [ -e "$dir/exit" ]; then ended; return; fi
    say "indeterminate killed"
}

# Those who hold it only decide and store: whoever does not get it may ask again. A redirection that fails would end
# this shell without a word, hence `true` tries it first.
lock() {
    true 2>/dev/null >>"$dir/lock" || fail "cannot write $dir/lock"
    exec 9>>"$dir/lock"
    flock -w 5 9 || { say "error busy cannot lock $dir"; exit 1; }
}
try_lock() { true 2>/dev/null >>"$dir/lock" && exec 9>>"$dir/lock" && flock -n 9; }
unlock() { exec 9>&-; }

put() { printf '%s\n' "$2" 2>/dev/null >"$dir/$1.new" && mv -f "$dir/$1.new" "$dir/$1"; } # FILE LINE

# Ends here when a higher epoch was seen.
fence() {
    stored=$(number "$dir/epoch")
    if [ "$1" -lt "$stored" ]; then say "fenced $stored"; exit 0; fi
    [ "$1" -gt "$stored" ] || return 0
    # It keeps older ones from starting the command. Once that was started, a full disk keeps nobody from asking.
    put epoch "$1" || [ -e "$dir/started" ] || fail "cannot store the epoch"
}

# Standard input, into the folder $in: a line with the note; the number of arguments; each argument on a line, escaped
# for `printf %b`; the length of the command's standard input; that input.
receive() {
    IFS= read -r note && IFS= read -r count || fail "the specification is cut short"
    printf '%s\n' "$note" >"$in/note" && true >"$in/argv" || return 1
    left=$count
    while [ "$left" -gt 0 ]; do
        IFS= read -r line || fail "the specification is cut short"
        printf '%s\n' "$line" >>"$in/argv" || return 1
        left=$((left - 1))
    done
    IFS= read -r length || fail "the specification is cut short"
    cat >"$in/stdin" || return 1
    [ "$(size "$in/stdin")" -eq "$length" ] || fail "the specification is cut short"
}

# Ends here when there is nothing left to start.
begun() {
    if [ -e "$dir/started" ]; then
        [ "$(value "$dir/digest" '')" = "$digest" ] || { say conflict; exit 0; }
        say already
        exit 0
    fi
    if forgotten; then say already; exit 0; fi
}

# Removes a specification that will not be used any more.
clear_input() { rm -rf -- "$dir/argv" "$dir/stdin" "$dir"/in.*; }

# KEY EPOCH GENERATION DIGEST UNIT CAP: starts the command unless it was started. CAP counts 512 bytes.
start() {
    epoch=$1 generation=$2 digest=$3 unit=$4 cap=$5
    [ "$epoch" -lt "$(number "$dir/epoch")" ] || begun
    mkdir -p "$dir" || fail "cannot create $dir"
    # Before anything is locked: what comes over the network may take for ever.
    in=$(mktemp -d "$dir/in.XXXXXXXX") || fail "cannot store the specification"
    trap 'rm -rf -- "$in"' EXIT
    receive 2>/dev/null || fail "cannot store the specification"
    lock
    fence "$epoch"
    begun
    current=$(number "$dir/generation")
    if [ "$generation" -ne "$current" ]; then say "superseded $current"; exit 0; fi
    mv -f "$in/argv" "$in/stdin" "$in/note" "$dir" &&
        put digest "$digest" && put epoch "$epoch" && put generation "$generation" &&
        durable "$dir/argv" "$dir/stdin" "$dir/note" "$dir/digest" "$dir/epoch" "$dir/generation" "$dir" "$jobs" ||
        { clear_input; fail "cannot store the specification"; }
    unlock
    launch "$unit" "$epoch" "$generation" "$cap"
    tries=0
    while [ ! -e "$dir/started" ]; do
        tries=$((tries + 1))
        [ "$tries" -le 300 ] || { say stuck; exit 0; }
        # Somebody else decided in the meantime: the runner will do nothing.
        [ "$(number "$dir/epoch")" = "$epoch" ] || { say "fenced $(number "$dir/epoch")"; exit 0; }
        sleep 0.1
    done
    say started
    if [ -z "$(find "$jobs/pruned" -mmin -60 2>/dev/null)" ]; then
        true 2>/dev/null >"$jobs/pruned"
        prune
    fi
}

# A second runner does no harm: only one can create `started`.
launch() {
    if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; then
        # Whoever restarts all services after an upgrade must not end the very command that upgrades. On the way down
        # the runner, which does not listen to TERM, holds nothing up for long. Old versions do not know all of these.
        for more in '--property=RefuseManualStop=yes --property=TimeoutStopSec=5 --property=OOMPolicy=continue' ''; do
            systemd-run --quiet --collect --no-ask-password --unit="$1" --description="job $key" \
                --property=KillMode=process $more \
                /bin/sh "$0" "$jobs" run "$key" "$2" "$3" "$4" </dev/null >/dev/null 2>&1 && return
        done
    fi
    setsid /bin/sh "$0" "$jobs" run "$key" "$2" "$3" "$4" </dev/null >/dev/null 2>&1 &
}

# Keeps a stream up to the cap, as it appears. What is over it is swallowed: the command must not die of it.
keep() {
    (trap '' XFSZ; ulimit -f "$cap"; exec cat) >>"$1" 2>/dev/null
    cat >/dev/null
}

# FILE LINE, in the runner's folder. Writes over a placeholder, whose space is there already; a file system that copies
# on writing may still have no room, hence nothing is believed that cannot be read back.
reserve() { printf '%-60s\n' '?' >"$1.new"; }
record() {
    printf '%-60s\n' "$2" 1<>"$1.new" && durable "$1.new" && read -r back <"$1.new" &&
        [ "$back" = "$2" ] && mv -f "$1.new" "$1"
}

# KEY EPOCH GENERATION CAP: the runner. It does nothing if anything was decided since it was launched.
run() {
    cd "$dir" || exit 1
    lock
    [ ! -e started ] && ! forgotten && [ "$(number epoch)" = "$1" ] && [ "$(number generation)" = "$2" ] || exit 0
    [ -r argv ] && [ -r stdin ] || exit 0
    cap=$3
    # Whatever is told to end here: the result is worth more. `stop` ends the command itself.
    trap '' HUP INT TERM XFSZ
    say "$(boot_id) $$ $(start_time $$)" >"started.$$" || exit 1
    # The space for the result is taken now, so that a disk that fills up cannot lose it.
    reserve exit && reserve child && head -c 65536 /dev/urandom >spare && true >out && true >err || exit 1
    # Both ends of both pipes are opened here, through 7, so that nobody ever waits for an end that never comes.
    mkfifo pipe && exec 7<>pipe 3<pipe 4>pipe 7>&- && rm pipe || exit 1
    mkfifo pipe && exec 7<>pipe 5<pipe 6>pipe 7>&- && rm pipe || exit 1
    exec 7<stdin 8<argv
    durable "started.$$" exit.new child.new spare out err || exit 1
    ln "started.$$" started || exit 0
    rm -f "started.$$"
    durable . || exit 1
    unlock
    set --
    while IFS= read -r line; do
        argument=$(printf '%b.' "$line")
        set -- "$@" "${argument%.}"
    done <&8
    exec 8<&-
    rm -f argv stdin
    # `exec`, since redirections of a function's call leave copies of what they replace.
    (exec <&3 3<&- 4>&- 5<&- 6>&- 7<&-; keep out) &
    out_keeper=$!
    (exec <&5 3<&- 4>&- 5<&- 6>&- 7<&-; keep err) &
    err_keeper=$!
    (
        cd / || exit 126
        umask 022
        trap - HUP INT TERM XFSZ
        unset OLDPWD SYSTEMD_EXEC_PID JOURNAL_STREAM INVOCATION_ID
        HOME=${HOME:-/root} PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        export HOME PATH
        exec setsid "$@" <&7 >&4 2>&6 3<&- 4>&- 5<&- 6>&- 7<&-
    ) &
    child=$!
    exec 3<&- 4>&- 5<&- 6>&- 7<&-
    record child "$child $(start_time "$child")"
    wait "$child"
    code=$?
    # Something that it left in the background may hold its output open for ever.
    tries=0
    while start_time "$out_keeper" || start_time "$err_keeper"; do
        tries=$((tries + 1))
        [ "$tries" -le 50 ] || break
        sleep 0.1
    done >/dev/null
    # Until it is certain what is stored, nothing is: better no result than a wrong one.
    tries=0
    until durable out err && record exit "$code"; do
        rm -f spare
        tries=$((tries + 1))
        [ "$tries" -le 600 ] || exit 1
        sleep 1
    done
    rm -f spare
    durable .
}

# KEY EPOCH: what is known. `none` is proof: whoever was on the way to start it comes too late.
settle() {
    if [ -d "$dir" ] || ! forgotten; then
        mkdir -p "$dir" || fail "cannot create $dir"
        lock
        fence "$1"
        # A runner has opened it by now, or comes too late.
        clear_input
    fi
    answer=$(state)
    if [ "$answer" = none ]; then
        current=$(($(number "$dir/generation") + 1))
        put generation "$current" && durable "$dir/generation" "$dir" "$jobs" || fail "cannot store the generation"
        say "none $current"
    else
        say "$answer"
    fi
    say "note $(value "$dir/note" '')"
}

# Frames: `o LENGTH` or `e LENGTH` and so many bytes.
copy() { # FRAME FILE OFFSET; leaves the new offset in $offset
    offset=$3
    end=$(size "$2")
    while [ "$offset" -lt "$end" ]; do
        length=$((end - offset))
        [ "$length" -le 262144 ] || length=262144
        printf '%s %s\n' "$1" "$length" || exit 1
        tail -c "+$((offset + 1))" "$2" 2>/dev/null | head -c "$length" || exit 1
        offset=$((offset + length))
    done
}

# KEY OUT ERR: output from these offsets on, as it appears, then the state. `r` now and then, so that a
# reader who is gone is noticed.
follow() {
    out=$1 err=$2 idle=0
    while :; do
        answer=$(state)
        before=$((out + err))
        copy o "$dir/out" "$out"; out=$offset
        copy e "$dir/err" "$err"; err=$offset
        [ "$answer" = running ] || break
        idle=$((idle + 1))
        [ "$before" -eq "$((out + err))" ] || idle=0
        if [ "$idle" -gt 10 ]; then say r || exit 1; idle=5; fi
        sleep 0.2
    done
    say "s $answer"
}

# The processes of the command: its session, its group, and what else is in the unit; not the runner, nor those who
# keep its output for it, which are a session of their own.
members() {
    in_unit=$(grep -lsE "/$unit\.service(/|\$)" /proc/[0-9]*/cgroup)
    for file in /proc/[0-9]*/stat; do
        { read -r stat <"$file"; } 2>/dev/null || continue
        pid=${stat%% *}
        # state parent group session …
        set -- ${stat##*) }
        case $1 in Z | X) continue ;; esac
        [ "$4" != "$runner" ] || continue
        if [ "$2" = "$runner" ] || [ "$3" = "${child:-none}" ] || [ "$4" = "${child:-none}" ]; then say "$pid"; continue; fi
        case "$newline$in_unit$newline" in *"$newline/proc/$pid/cgroup$newline"*) say "$pid" ;; esac
    done
}

# KEY UNIT: ends the command and all that belongs to it, kindly and then not. Answers `ended` when there was nothing to
# end, `stopped` when nothing of it is left, `running` when something of it is.
stop() {
    unit=$1
    newline='
'
    [ -e "$dir/started" ] || { say none; exit 0; }
    read -r boot runner began <"$dir/started"
    [ "$boot" = "$(boot_id)" ] || { say ended; exit 0; }
    child='' child_began=''
    if [ -e "$dir/child" ]; then read -r child child_began <"$dir/child"; fi
    since=$(uptime)
    # What has ended by itself is about to be recorded as it ended. Nothing that it left behind is touched.
    while [ ! -e "$dir/exit" ] && [ ! -e "$dir/stopping" ] && [ $(($(uptime) - since)) -lt 8 ] &&
        [ -n "$child" ] && ! alive "$child" "$child_began" && alive "$runner" "$began"; do
        sleep 0.1
    done
    if [ -e "$dir/exit" ] && [ ! -e "$dir/stopping" ]; then say ended; exit 0; fi
    true 2>/dev/null >"$dir/stopping"
    signal=TERM
    since=$(uptime)
    while :; do
        if [ -z "$child" ] && [ -e "$dir/child" ]; then read -r child child_began <"$dir/child"; fi
        left=$(members)
        if [ -n "$left" ]; then
            [ -z "$signal" ] || kill -s "$signal" $left 2>/dev/null
            [ "$signal" = KILL ] || signal=''
        # The runner is between two things, or has done its last.
        elif [ -e "$dir/exit" ] || ! alive "$runner" "$began"; then
            break
        fi
        spent=$(($(uptime) - since))
        [ "$spent" -lt 5 ] || signal=KILL
        [ "$spent" -lt 12 ] || break
        sleep 0.1
    done
    if [ -z "$left" ]; then say stopped; else say running; fi
}

# Whether the key was used once, and all that was known of it is gone.
forgotten() { grep -qxF -e "$key" "$jobs/forgotten" 2>/dev/null; }

# Removes $dir, unless it runs or somebody is at work on it. The line ends before the key begins, too: a line that was
# cut off by a full disk spoils no other.
drop() {
    try_lock || return 1
    [ "$(state)" != running ] || return 1
    forgotten || { printf '\n%s\n' "$key" 2>/dev/null >>"$jobs/forgotten" && durable "$jobs/forgotten" "$jobs" &&
        forgotten; } || return 1
    rm -rf -- "$dir"
}

# After a week, of output that the controller has seen only what an operation's result can hold is kept. After a
# quarter in which nothing happened all goes but the key, 30 bytes: for that which was started once, nobody ever hears
# again that it was not.
prune() {
    find "$jobs" -mindepth 2 -maxdepth 2 \( -name out -o -name err \) -size +64k -mtime +7 2>/dev/null |
        while IFS= read -r file; do
            dir=${file%/*}
            if [ -e "$dir/collected" ] && [ -e "$dir/exit" ]; then truncate -s 65536 -- "$file"; fi
        done
    find "$jobs" -mindepth 2 -maxdepth 2 \( -name argv -o -name stdin -o -name 'in.*' \) -mmin +60 2>/dev/null |
        while IFS= read -r file; do
            dir=${file%/*}
            if try_lock; then rm -rf -- "$file"; fi
        done
    find "$jobs" -mindepth 2 -maxdepth 2 -name lock -mtime +90 2>/dev/null |
        while IFS= read -r file; do
            dir=${file%/*} key=${file%/lock}
            key=${key##*/}
            [ -n "$(find "$dir" -mindepth 1 ! -mtime +90 2>/dev/null)" ] || drop
        done
}

forget() {
    drop || fail "the job still runs, or somebody is at work on it"
    say forgotten
}

case $verb in
start | run | settle | follow | stop | forget) "$verb" "$@" ;;
status) state ;;
collected) if [ -d "$dir" ]; then true 2>/dev/null >"$dir/collected"; fi; say ok ;;
prune) prune; say ok ;;
*) fail "no such verb" ;;
esac
