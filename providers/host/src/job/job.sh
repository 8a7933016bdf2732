#!/bin/sh
# The host's half of the job protocol: a named command that outlives the connection and the controller,
# and is started at most once. Called as: job.sh FOLDER VERB KEY ARGUMENTS…
#
# FOLDER/KEY/   lock        flock: whoever decides anything holds it
#               epoch       highest fencing number seen      generation   counts `settle`
#               digest      of the specification             note         one line for the controller
#               argv stdin  the specification; gone once the command has ended
#               started     boot id, process, its start time. Created exclusively, before any effect
#               child       process and start time of the command
#               out err     output, capped                   exit         its status: renamed into place last
#               collected   the controller has the result
#
# INVARIANT: the command runs only after `started` is durable, and `started` is never removed but with KEY.
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
boot_id() { cat /proc/sys/kernel/random/boot_id; }
durable() { sync -- "$@" 2>/dev/null || sync; }
value() { cat "$1" 2>/dev/null || printf '%s\n' "$2"; } # FILE DEFAULT
size() { if [ -e "$1" ]; then wc -c <"$1"; else echo 0; fi; }

# The start time of a process, which tells it from a later one with the same number; nothing for a dead one.
start_time() {
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    set -- ${stat##*) }
    case $1 in Z | X) return 1 ;; esac
    shift 19
    say "$1"
}
alive() { [ -n "${2:-}" ] && [ "$(start_time "$1")" = "$2" ]; } # PID START

ended() { read -r code <"$dir/exit"; say "done $code $(size "$dir/out") $(size "$dir/err")"; }

# What is known, in one line: none | running | done CODE OUT ERR | indeterminate WHY
state() {
    if [ -e "$dir/exit" ]; then ended; return; fi
    if [ ! -e "$dir/started" ]; then say none; return; fi
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

lock() {
    exec 9>"$dir/lock" || fail "cannot write $dir/lock"
    flock -w 60 9 || fail "cannot lock $dir"
}
unlock() { exec 9>&-; }

put() { printf '%s\n' "$2" >"$dir/$1.new" && mv -f "$dir/$1.new" "$dir/$1"; } # FILE LINE

# Ends here when a higher epoch was seen.
fence() {
    stored=$(value "$dir/epoch" 0)
    if [ "$1" -lt "$stored" ]; then say "fenced $stored"; exit 0; fi
    if [ "$1" -gt "$stored" ]; then put epoch "$1" || fail "cannot store the epoch"; fi
}

# Standard input: a line with the note; the number of arguments; each argument on a line, escaped for
# `printf %b`; the length of the command's standard input; that input.
receive() {
    IFS= read -r note && IFS= read -r count || fail "the specification is cut short"
    put note "$note" || return 1
    : >"$dir/argv.new" || return 1
    left=$count
    while [ "$left" -gt 0 ]; do
        IFS= read -r line || fail "the specification is cut short"
        printf '%s\n' "$line" >>"$dir/argv.new" || return 1
        left=$((left - 1))
    done
    IFS= read -r length || fail "the specification is cut short"
    cat >"$dir/stdin.new" || return 1
    [ "$(size "$dir/stdin.new")" -eq "$length" ] || fail "the specification is cut short"
    mv -f "$dir/argv.new" "$dir/argv" && mv -f "$dir/stdin.new" "$dir/stdin"
}

# KEY EPOCH GENERATION DIGEST UNIT CAP: starts the command unless it was started. CAP counts 512 bytes.
start() {
    epoch=$1 generation=$2 digest=$3 unit=$4 cap=$5
    mkdir -p "$dir" || fail "cannot create $dir"
    lock
    fence "$epoch"
    if [ -e "$dir/started" ]; then
        [ "$(value "$dir/digest" '')" = "$digest" ] || { say conflict; exit 0; }
        say already
        exit 0
    fi
    current=$(value "$dir/generation" 0)
    if [ "$generation" -ne "$current" ]; then say "superseded $current"; exit 0; fi
    receive || fail "cannot store the specification"
    put digest "$digest" && put epoch "$epoch" && put generation "$generation" || fail "cannot store the specification"
    durable "$dir/argv" "$dir/stdin" "$dir/note" "$dir/digest" "$dir/epoch" "$dir/generation" "$dir" "$jobs"
    unlock
    launch "$unit" "$epoch" "$generation" "$cap"
    tries=0
    while [ ! -e "$dir/started" ]; do
        tries=$((tries + 1))
        [ "$tries" -le 300 ] || { say stuck; exit 0; }
        # Somebody else decided in the meantime: the runner will do nothing.
        [ "$(value "$dir/epoch" 0)" = "$epoch" ] || { say "fenced $(value "$dir/epoch" 0)"; exit 0; }
        sleep 0.1
    done
    say started
    prune
}

# A second runner does no harm: only one can create `started`.
launch() {
    if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; then
        systemd-run --quiet --collect --no-ask-password --unit="$1" --description="job $key" \
            --property=KillMode=process --property=OOMPolicy=continue \
            /bin/sh "$0" "$jobs" run "$key" "$2" "$3" "$4" </dev/null >/dev/null 2>&1 && return
    fi
    setsid /bin/sh "$0" "$jobs" run "$key" "$2" "$3" "$4" </dev/null >/dev/null 2>&1 &
}

# Keeps a stream up to the cap, as it appears. What is over it is swallowed: the command must not die of it.
keep() {
    (trap '' XFSZ; ulimit -f "$cap"; exec cat) >>"$1" 2>/dev/null
    cat >/dev/null
    : >"$1.end"
}

# KEY EPOCH GENERATION CAP: the runner. It does nothing if anything was decided since it was launched.
run() {
    cd "$dir" || exit 1
    lock
    [ ! -e started ] && [ "$(value epoch 0)" = "$1" ] && [ "$(value generation 0)" = "$2" ] || exit 0
    cap=$3
    say "$(boot_id) $$ $(start_time $$)" >"started.$$" || exit 1
    # The space for the result is taken now, so that a disk that fills up cannot lose it.
    printf '%-40s\n' 0 >exit.new && : >out && : >err || exit 1
    # Both ends of both pipes are opened here, through 7, so that nobody ever waits for an end that never comes.
    mkfifo pipe && exec 7<>pipe 3<pipe 4>pipe 7>&- && rm pipe || exit 1
    mkfifo pipe && exec 7<>pipe 5<pipe 6>pipe 7>&- && rm pipe || exit 1
    durable "started.$$" exit.new out err
    ln "started.$$" started || exit 0
    rm -f "started.$$"
    durable .
    unlock
    set --
    while IFS= read -r line; do
        argument=$(printf '%b.' "$line")
        set -- "$@" "${argument%.}"
    done <argv
    # `exec`, since redirections of a function's call leave copies of what they replace.
    (exec <&3 3<&- 4>&- 5<&- 6>&-; keep out) &
    (exec <&5 3<&- 4>&- 5<&- 6>&-; keep err) &
    (
        cd / || exit 126
        umask 022
        unset OLDPWD SYSTEMD_EXEC_PID JOURNAL_STREAM INVOCATION_ID
        HOME=${HOME:-/root} PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        export HOME PATH
        exec setsid "$@" <"$dir/stdin" >&4 2>&6 3<&- 4>&- 5<&- 6>&-
    ) &
    child=$!
    exec 3<&- 4>&- 5<&- 6>&-
    say "$child $(start_time "$child")" >child
    wait "$child"
    code=$?
    # Something that it left in the background may hold its output open for ever.
    tries=0
    while [ ! -e out.end ] || [ ! -e err.end ]; do
        tries=$((tries + 1))
        [ "$tries" -le 50 ] || break
        sleep 0.1
    done
    printf '%-40s\n' "$code" | dd of=exit.new conv=notrunc 2>/dev/null
    durable out err exit.new
    mv -f exit.new exit
    rm -f argv stdin out.end err.end child
    durable .
}

# KEY EPOCH: what is known. `none` is proof: whoever was on the way to start it comes too late.
settle() {
    mkdir -p "$dir" || fail "cannot create $dir"
    lock
    fence "$1"
    answer=$(state)
    if [ "$answer" = none ]; then
        current=$(($(value "$dir/generation" 0) + 1))
        put generation "$current" || fail "cannot store the generation"
        durable "$dir/generation" "$dir" "$jobs"
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

# KEY: ends the command, kindly and then not.
stop() {
    [ -e "$dir/child" ] || { say none; exit 0; }
    read -r child began <"$dir/child"
    for signal in TERM KILL; do
        alive "$child" "$began" || break
        kill -s "$signal" -- "-$child" 2>/dev/null
        tries=0
        while alive "$child" "$began" && [ "$tries" -lt 50 ]; do tries=$((tries + 1)); sleep 0.1; done
    done
    tries=0
    while [ ! -e "$dir/exit" ] && [ "$tries" -lt 50 ]; do tries=$((tries + 1)); sleep 0.1; done
    say stopped
}

# The result is with the controller: it may go after a week. What nobody collected may go after a quarter.
prune() {
    find "$jobs" -mindepth 2 -maxdepth 2 \( -name collected -mtime +7 -o -name exit -mtime +90 \) 2>/dev/null |
        while IFS= read -r file; do rm -rf -- "${file%/*}"; done
}

forget() {
    case $(state) in running) fail "the job still runs" ;; esac
    rm -rf -- "$dir"
    say forgotten
}

case $verb in
start | run | settle | follow | stop | forget) "$verb" "$@" ;;
status) state ;;
collected) [ ! -d "$dir" ] || : >"$dir/collected"; say ok ;;
prune) prune; say ok ;;
*) fail "no such verb" ;;
esac
