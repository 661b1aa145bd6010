"""The sampler that runs on an Android device: one mksh, which never forks after its start.

`$(<file)` reads a file inside mksh, and `read -t` on standard input is both the clock and
the way to notice that the host is gone: the end of the input ends the script. What it
prints is the format of `collectors.readers.proc`. A thread whose schedstat has not changed
has not run, so nothing else of it is read or printed. Its context switches and children
are in files that cost more than the others together, so those take turns, `TURNS` a sample.
mksh has 32-bit arithmetic: the clock counts microseconds modulo 1000 s.
"""

from collections.abc import Sequence

from collectors.readers.proc import MAGIC
from collectors.tools.tool import Subject

SCRIPT = r"""exec 2>/dev/null
set +U
interval=$1 micros=$2 target=$3 wanted=$4
TURNS=5 TREE_SECONDS=10 SEARCH_SECONDS=2 SLOW_SECONDS=10
nl='
'
typeset -Z6 fraction
going=1
trap 'going=' TERM HUP INT

print -r -- '@MAGIC@'
print -r -- "# way shell"
print -r -- "# clock_ticks $(getconf CLK_TCK || print 100)"
print -r -- "# page_bytes $(getconf PAGE_SIZE || print 4096)"
print -r -- "# interval_seconds $interval"
print -r -- "# started_unix $EPOCHREALTIME"
for f in /sys/devices/system/cpu/cpu[0-9]*; do
  [[ -d $f ]] || continue
  online=1 khz= capacity=
  [[ -r $f/online ]] && online=$(<$f/online)
  [[ -r $f/cpufreq/cpuinfo_max_freq ]] && khz=$(<$f/cpufreq/cpuinfo_max_freq)
  [[ -r $f/cpu_capacity ]] && capacity=$(<$f/cpu_capacity)
  print -r -- "# cpu ${f##*/cpu} ${online:-1} ${khz:--} ${capacity:--}"
done
set -A policies
set -A policy_cpu
for f in /sys/devices/system/cpu/cpufreq/policy[0-9]*; do
  [[ -r $f/scaling_cur_freq ]] || continue
  policies[${#policies[*]}]=$f/scaling_cur_freq
  policy_cpu[${#policy_cpu[*]}]=${f##*policy}
  print -r -- "# policy ${f##*policy} $(<$f/related_cpus)"
done
set -A zones
for f in /sys/class/thermal/thermal_zone[0-9]*; do
  [[ -r $f/temp && ${#zones[*]} -lt 16 ]] || continue
  value=$(<$f/temp)
  [[ -n $value ]] || continue
  print -r -- "# zone ${#zones[*]} $(<$f/type)"
  zones[${#zones[*]}]=$f/temp
done
children=1
[[ -r /proc/$$/task/$$/children ]] || children=

pids=
[[ $target != - ]] && pids=$target
n=0
set -A live
set -A last
set -A read_at
set -A turn

micros_now() {
  typeset t=$EPOCHREALTIME
  typeset s=${t%.*}
  now=$(( 10#${s:7} * 1000000 + 10#${t#*.} ))
}

# With neither a pid nor children: look through all processes for those that belong here.
search() {
  typeset f s p found=$1
  cd /proc || return
  if [[ $wanted != - ]]; then
    for p in [0-9]*; do
      [[ " $pids " = *" $p "* ]] && continue
      s=$(<$p/cmdline)
      if [[ $s = "$wanted" || $s = "$wanted":* || $(<$p/comm) = "${wanted:0:15}" ]]; then
        pids="$pids $p"
      fi
    done
  fi
  [[ -n $children || -z $pids ]] && return
  found=1
  while [[ -n $found ]]; do
    found=
    for p in [0-9]*; do
      [[ " $pids " = *" $p "* ]] && continue
      s=$(<$p/stat)
      s=${s##*\) }
      s=${s#* }
      if [[ " $pids " = *" ${s%% *} "* && $p != $$ ]]; then
        pids="$pids $p"
        found=1
      fi
    done
  done
}

process() {
  typeset p=$1 t s v c skipped=0 read=0
  if ! cd /proc/$p/task; then
    pids=" $pids "
    pids=${pids/" $p "/ }
    pids=${pids# }
    pids=${pids% }
    unset live[p]
    print -r -- "G $p"
    return
  fi
  set -- *
  if [[ $* != "${live[p]}" ]]; then
    live[p]=$*
    print -r -- "L $p $*"
  fi
  for t; do
    s=$(<$t/schedstat)
    if [[ ${last[t]} != "$s" ]]; then
      print -r -- "T $p $t $(<$t/stat)${nl}R $p $t $s"
      last[t]=$s
    fi
  done
  [[ -z $going ]] && turn[p]=0
  (( ${turn[p]:-0} < $# )) || turn[p]=0
  shift ${turn[p]:-0}
  for t; do
    turn[p]=$(( ${turn[p]:-0} + 1 ))
    [[ ${read_at[t]} = "${last[t]}" ]] && continue
    read_at[t]=${last[t]}
    # The counts are the last two lines; matching from the end is 20 times as fast.
    s=$(<$t/status)
    v=${s%"$nl"nonvoluntary*}
    print -r -- "V $p $t ${v##*voluntary_ctxt_switches:?} ${s##*nonvoluntary_ctxt_switches:?}"
    if [[ -n $children ]]; then
      for c in $(<$t/children); do
        [[ " $pids " = *" $c "* || $c = $$ ]] || pids="$pids $c"
      done
    fi
    read=$(( read + 1 ))
    [[ $read -ge $TURNS && -n $going ]] && return
  done
}

sample() {
  typeset s u p i
  u=$(</proc/uptime)
  print -r -- "S ${u%% *} $EPOCHREALTIME"
  s=$(</proc/stat)
  u=${s%%"$nl"intr *}
  p=${s#"$u$nl"intr }
  print -r -- "$u${nl}intr ${p%% *}${nl}ctxt ${s##*"$nl"ctxt }"
  i=0
  while (( i < ${#policies[*]} )); do
    s=$(<${policies[i]})
    print -r -- "F ${policy_cpu[i]} $s"
    i=$(( i + 1 ))
  done
  if (( n % slow == 0 )); then
    i=0
    while (( i < ${#zones[*]} )); do
      s=$(<${zones[i]})
      print -r -- "Z $i $s"
      i=$(( i + 1 ))
    done
  fi
  for p in $pids; do process $p; done
  if (( n % cost_every == 0 )) || [[ -z $going ]]; then
    s=$(</proc/$$/schedstat)
    print -r -- "C ${s%% *}"
  fi
  print -r -- E
  n=$(( n + 1 ))
}

every() {  # samples in this many seconds
  every=$(( $1 * 1000000 / micros ))
  (( every )) || every=1
}
every 1; cost_every=$every
every $SLOW_SECONDS; slow=$every
every $TREE_SECONDS; tree=$every
every $SEARCH_SECONDS; looking=$every

micros_now
next=$now
while [[ -n $going ]]; do
  if [[ -z $pids && $wanted != - ]]; then
    (( n % looking )) || search
  elif [[ $wanted != - || -z $children && -n $pids ]]; then
    (( n % tree )) || search
  fi
  sample
  next=$(( (next + micros) % 1000000000 ))
  micros_now
  left=$(( next - now ))
  (( left < -500000000 )) && left=$(( left + 1000000000 ))
  (( left > 500000000 )) && left=$(( left - 1000000000 ))
  if (( left <= 0 && left > -500000 * 100 )); then  # late: keep the rhythm
    skip=$(( (0 - left) / micros + 1 ))
    left=$(( left + skip * micros ))
    next=$(( (next + skip * micros) % 1000000000 ))
  elif (( left <= 0 || left > micros )); then  # the clock was set
    left=$micros
    next=$(( (now + micros) % 1000000000 ))
  fi
  fraction=$(( left % 1000000 ))
  read -r -t $(( left / 1000000 )).$fraction stop
  (( $? == 142 )) || going=
done
sample
""".replace("@MAGIC@", MAGIC.decode())


def shell_command(
    interval_seconds: float, pid: int | None, name: str | None, shell: str = "sh"
) -> Sequence[str]:
    """The argument list that samples `pid`, or processes called `name`, or just the system."""
    words = sampler_words(interval_seconds, Subject(pid, name))
    return [shell, "-c", SCRIPT, "droidgrind-schedstat", *words]


def sampler_words(interval_seconds: float, subject: Subject) -> tuple[str, ...]:
    """What the script, and the native sampler in its place, are to sample."""
    micros = max(1000, round(interval_seconds * 1e6))
    target = "-" if subject.pid is None else str(subject.pid)
    return (f"{micros / 1e6:g}", str(micros), target, subject.name or "-")
