# shellcheck shell=bash
# shellcheck disable=SC2004,SC2016,SC2034,SC2154 # variables that other files declare; those of jq
# Whether the generator's verdict on its own run is right: it has to name what spoilt a run, and to
# leave alone one that nothing spoilt, on a machine as it is.

# Runs what has to end with a verdict, and prints whether it has: provoke EXPECTED WHAT NAME OPTION...
provoke() {
	progress "verdicts, $2"
	run "verdicts-$3" "${url[$name]}" --duration "${verdict_s}s" "${@:4}"
	say "$(figures '[ $what, $expected, .verdict,
		(if .verdict == $expected then "yes" else "**no**" end),
		(.reasons | map("\(.kind): \(.figure)") | join("; ")) ] | cells' \
		--arg what "$2" --arg expected "$1" "$runs/verdicts-$3.json")"
}

# Starts the server of what is provoked: start_provoked PATH PROGRAM OPTION...
start_provoked() {
	start "$name" "${@:2}"
	url[$name]+=$1
}

measure_provoked() {
	local name=provoked
	table 'what is wrong' expected said 'as expected' figures
	start_provoked / cwt-server --arch loop
	# It competes as an equal, with the same niceness. A generator that wants little is let go first
	# by the scheduler and does not suffer; half a processor is not enough for this one.
	taskset -c 1 bash -c 'while :; do :; done' &
	process[busy]=$!
	provoke client-limited 'a busy loop on the processor of the generator, at 10,000/s' starved \
		--rate 10000
	stop busy $name
	start_provoked / cwt-server --arch loop
	provoke client-limited 'a server without work, as fast as the generator, 8 connections' none \
		--connections 8
	stop $name
	start_provoked / cwt-server --arch loop --cpu 1ms
	provoke server-limited 'a server that takes 1 ms of CPU, at 2,000/s' slow --rate 2000
	stop $name
	start_provoked /delay/1ms cwt-backend --drift '10%'
	provoke unstable 'a server that gets slower by 10 % a second' drift --connections 8
	stop $name
	start_provoked /delay/1ms cwt-backend --reset-every 100
	provoke errors 'a server that resets each 100th connection' resets --connections 8
	stop $name
	start_provoked /delay/1ms cwt-backend --status-every 100
	provoke errors 'a server that answers each 100th request with 503' status --connections 8
	stop $name
	say ''
}

# What is healthy: the options of cwt load after the server's name and the path. The server has work
# to do: one that has none is as fast as the generator, and that is no healthy run.
declare -A healthy_kinds=(
	['closed loop, 1 ms']='backend /delay/1ms --connections 16'
	['closed loop, 5 ms']='backend /delay/5ms'
	['open loop, 1,000/s constant']='backend /delay/1ms --rate 1000'
	['open loop, 1,000/s Poisson']='backend /delay/1ms --rate 1000 --arrivals poisson'
	['open loop, 5,000/s constant']='backend /delay/1ms --rate 5000'
	['open loop, 5,000/s Poisson']='backend /delay/1ms --rate 5000 --arrivals poisson'
	['closed loop, a server that works at its limit']='loop / --connections 64'
)

# Prints a row of reports: healthy_row KIND FILE...
healthy_row() {
	say "$(figures '[ $kind, length, (map(select(.verdict != "valid")) | length),
		(map(.reasons[] | "\(.kind): \(.figure)") | join("; ")) ] | map(tostring) | cells' \
		-s --arg kind "$1" "${@:2}")"
}

measure_healthy() {
	local kinds options i kind
	((healthy > 0)) || return 0
	mapfile -t kinds < <(printf '%s\n' "${!healthy_kinds[@]}" | sort)
	((healthy >= ${#kinds[@]})) || kinds=("${kinds[@]:0:healthy}")
	rm -f "$runs"/verdicts-healthy-*.json # of an earlier time, which had more of them
	start backend cwt-backend
	start loop cwt-server --arch loop --cpu 100us
	for ((i = 0; i < healthy; i++)); do
		kind=$((i % ${#kinds[@]}))
		read -ra options <<<"${healthy_kinds[${kinds[kind]}]}"
		progress "verdicts, healthy run $((i + 1)) of $healthy"
		run "verdicts-healthy-$kind-$i" "${url[${options[0]}]}${options[1]}" \
			--duration 2s --seed "$i" "${options[@]:2}"
	done
	stop backend loop
	table 'healthy, 2 s each' runs 'false alarms' figures
	for kind in "${!kinds[@]}"; do
		healthy_row "${kinds[kind]}" "$runs/verdicts-healthy-$kind"-*.json
	done
	say "$(figures '[ "**all**", length,
		(map(select(.verdict != "valid")) | length), "" ] | map(tostring) | cells' \
		-s "$runs"/verdicts-healthy-*.json)" ''
}

measure_verdicts() {
	heading Verdicts "Runs of $verdict_s s that are spoilt on purpose, and $healthy healthy ones."
	measure_provoked
	measure_healthy
}
