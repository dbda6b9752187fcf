# shellcheck shell=bash
# shellcheck disable=SC2004,SC2016,SC2034,SC2154 # variables that other files declare; those of jq
# How many connections the generator holds, in one process and in several, and what it takes to
# hold them. What the kernel has of a connection is not in it.

# Prints the most memory, in KiB, that a child of this shell was ever resident with, and waits for
# its end. The kernel's figure only grows, so that the last one seen is the one, or next to it.
high_water() {
	local seen=0 now
	while now=$(awk '/^VmHWM/ { print $2 }' "/proc/$1/status" 2>/dev/null) && [[ -n $now ]]; do
		seen=$now
		sleep 0.1
	done
	echo "$seen"
}

# Runs as many generators at the same time as there are numbers of connections, each from two
# addresses of its own, and leaves their reports in $runs/NAME-I.json and the most memory of each, in
# KiB, in `resident`: run_together NAME CONNECTIONS...
# Of an address's ports the kernel gives first those of one parity, some 14,000, and looks through
# all of them for each connection after these.
run_together() {
	local name=$1 i status ids=()
	shift
	for ((i = 1; i <= $#; i++)); do
		build/cwt load "${url[backend]}/delay/10s" --connections "${!i}" \
			--source "127.0.0.$((2 * i))" --source "127.0.0.$((2 * i + 1))" \
			--duration "${scale_s}s" --ramp 20s --calibrate 0 --cpus 1 --json >"$runs/$name-$i.json" 2>"$folder/$name-$i.err" &
		ids+=($!)
		process[$name-$i]=$!
	done
	resident=()
	for ((i = 1; i <= $#; i++)); do
		high_water "${ids[i - 1]}" >"$folder/resident-$i" &
		ids+=($!)
	done
	for ((i = 1; i <= $#; i++)); do
		status=0
		wait "${ids[i - 1]}" || status=$?
		unset "process[$name-$i]"
		wait "${ids[$# + i - 1]}"
		resident+=("$(<"$folder/resident-$i")")
		[[ -s $runs/$name-$i.json ]] || {
			cat "$folder/$name-$i.err" >&2
			fail "the generator with ${!i} connections has failed, status $status"
		}
	done
}

# Prints a row of several reports: scale_row TITLE KIB-ALONE NAME
# Of its memory, what the same generator takes with two connections is not the connections'.
scale_row() {
	say "$(figures '[ $title, (map(.connections) | add | fixed(0)),
		(map(.requests) | add | fixed(0)), (map(.errors | add) | add | fixed(0)),
		(map(.never_served) | add | fixed(0)),
		(($resident | add) / 1024 | fixed(1)),
		((($resident | add) - ($resident | length) * $alone) * 1024 / (map(.connections) | add)
			| fixed(0)), verdicts ] | cells' -s --arg title "$1" --argjson alone "$2" \
		--argjson resident "[$(IFS=, && echo "${resident[*]}")]" "$runs/$3"-[0-9].json)"
}

# Joins the reports of run_together and prints what they are in sum: merge NAME
merge() {
	local status=0
	build/cwt load --merge "$runs/$1"-[0-9].json --json >"$runs/$1-merged.json" \
		2>"$folder/merge.err" || status=$?
	if [[ -s $runs/$1-merged.json ]]; then
		say "$(figures '"Joined by --merge: \(.connections) connections, " +
			"\(.throughput_rps | fixed(0)) requests/s, p99 " +
			"\((.latency_ns // .latency_sent_ns).p99 / 1e6 | fixed(1)) ms, \(.verdict)."' \
			"$runs/$1-merged.json")" ''
	else
		say "cwt load --merge has failed, status $status: $(head -n 1 "$folder/merge.err")" ''
	fi
}

# Prints a process's resident set in KiB.
resident_now() {
	awk '/^VmRSS/ { print $2 }' "/proc/$1/status"
}

# A leak shows in memory that grows while the load stays the same.
measure_soak() {
	local begin end
	progress "scale, $soak_s s at 1,000/s"
	build/cwt load "${url[backend]}/delay/1ms" --rate 1000 --duration "${soak_s}s" --cpus 1 \
		--json >"$runs/scale-soak.json" 2>"$folder/soak.err" &
	process[soak]=$!
	sleep 5 # past calibration, ramp and warm-up, when all is there that is going to be
	begin=$(resident_now "${process[soak]}")
	sleep $((soak_s - 6))
	end=$(resident_now "${process[soak]}")
	wait "${process[soak]}" || true
	unset 'process[soak]'
	say "$(figures '"\($s) s at 1,000/s: resident with \($before) KiB at the begin and \($after) KiB " +
		"at the end; \(.requests) requests, \(.errors | add) errors, \(.verdict)."' \
		--argjson s "$soak_s" --argjson before "$begin" --argjson after "$end" \
		"$runs/scale-soak.json")" ''
}

measure_scale() {
	local resident alone
	heading Scale "Closed loop against cwt-backend with a delay of 10 s; all generators on one \
processor, and the responder on the other."
	table generators connections requests errors 'never served' 'resident, MiB' \
		'bytes/connection' valid
	rm -f "$runs"/scale-*.json
	start backend cwt-backend --connections 110000
	progress 'scale, two connections'
	run_together scale-alone 2 # one for each address
	alone=${resident[0]}
	progress 'scale, 19,500 connections'
	run_together scale-one 19500
	scale_row 'one process' "$alone" scale-one
	progress 'scale, 100,000 connections'
	run_together scale-six 16667 16667 16667 16667 16666 16666
	scale_row 'six processes' "$alone" scale-six
	say ''
	merge scale-six
	measure_soak
	stop backend
}
