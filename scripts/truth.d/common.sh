# shellcheck shell=bash
# shellcheck disable=SC2004,SC2016,SC2034,SC2154 # variables that other files declare; those of jq
# What the sections of scripts/truth share: what they start and end, how they run the generator,
# and how they print.

# Of each process that was started, by its name: its id; and where it answers, if it does.
declare -A process=() url=()

# Ends what was started and waits for it: stop NAME...
stop() {
	local name
	for name; do
		kill "${process[$name]}" 2>/dev/null || true
		wait "${process[$name]}" 2>/dev/null || true
		unset "process[$name]"
	done
}

cleanup() {
	trap - INT TERM HUP
	progress_clear
	stop "${!process[@]}"
	rm -rf "$folder"
}

# Tells a terminal what is being measured, and how long all of it will take.
progress() {
	local left=$((section_began - SECONDS)) section
	[[ -t 2 ]] || return 0
	for section in "${sections[@]}"; do
		left=$((left + section_s[$section]))
	done
	printf '\r\e[K%s; some %d s left' "$1" $((left > 1 ? left : 1)) >&2
}

progress_clear() {
	[[ ! -t 2 ]] || printf '\r\e[K' >&2
}

# Prints lines, and adds them to the report: say LINE...
say() {
	progress_clear
	printf '%s\n' "$@" | tee -a "$report"
}

# Prints the heading of a section, with what is shown in it.
heading() {
	say "## $1" '' "$2" ''
}

# Prints what all figures below depend on.
provenance() {
	local tool tools=
	for tool in wrk:wrk h2load:nghttp2-client hey:hey; do
		! command -v "${tool%:*}" >/dev/null ||
			tools+=", ${tool%:*} $(dpkg-query -W -f='${Version}' "${tool#*:}" 2>/dev/null || echo '?')"
	done
	say '# The load generator against what is known' '' \
		"Measured by \`scripts/truth\` on $(date +%F): $(lscpu | sed -n 's/^Model name: *//p'), \
$(nproc) processors$(systemd-detect-virt --vm --quiet 2>/dev/null && echo ", a virtual machine"), \
Linux $(uname -r), cwt at $(git describe --always --dirty 2>/dev/null || echo 'an unknown commit')$tools." ''
}

# Prints the head of a table: table COLUMN...
table() {
	say "$(printf '| %s ' "$@")|" "$(printf '| --- %.0s' "$@")|"
}

# Prints a row of a table: row CELL...
row() {
	say "$(printf '| %s ' "$@")|"
}

# True if there is such a tool, else says what is left out: installed COMMAND
installed() {
	command -v "$1" >/dev/null && return
	say "$1 is not installed (scripts/setup costs): it is left out." ''
	return 1
}

# Runs jq with the functions of figures.jq.
figures() {
	jq -L scripts/truth.d -r 'include "figures"; '"$1" "${@:2}"
}

# Starts a server of ours on processor 0: start NAME PROGRAM OPTION...
start() {
	local name=$1 program=$2 address
	shift 2
	: >"$folder/$name" # of an earlier one of this name, lest its address be read below
	"build/$program" --cpus 0 "$@" >"$folder/$name" 2>"$folder/$name.err" &
	process[$name]=$!
	until address=$(sed -n 's/^ready //p' "$folder/$name") && [[ -n $address ]]; do
		if ! kill -0 "${process[$name]}" 2>/dev/null; then
			cat "$folder/$name.err" >&2
			fail "$name has ended"
		fi
		sleep 0.05
	done
	url[$name]=http://$address
}

# Runs the generator on processor 1 and leaves its report in $runs/NAME.json. A run that judges
# itself invalid or to have failed is a result too: run NAME URL OPTION...
run() {
	local status=0
	build/cwt load "${@:2}" --cpus 1 --json >"$runs/$1.json" 2>"$folder/cwt.err" || status=$?
	case $status in
	0 | 1 | 3 | 5) [[ ! -s $runs/$1.json ]] || return 0 ;;
	esac
	cat "$folder/cwt.err" >&2
	fail "cwt load ${*:2} has failed, status $status"
}
