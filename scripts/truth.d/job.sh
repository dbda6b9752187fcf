# shellcheck shell=bash
# shellcheck disable=SC2004,SC2016,SC2034,SC2154 # variables that other files declare; those of jq
# Whether a job that keeps a thread limit fails when it has to, for the reason that it tells, and else
# does not. The baseline of another number of processors is one that says so: this machine's second
# processor is the generator's.

job_tune=(build/cwt tune pool --json)

# Asserts the baseline's t after a change, some times: job NAME COUNT CAUSE STATUS OPTION...
job() {
	local name=$1 count=$2 cause=$3 wanted=$4 i status reports=()
	local -A ended=()
	shift 4
	for ((i = 1; i <= count; i++)); do
		progress "job, $name, run $i of $count"
		status=0
		"${job_tune[@]}" "$@" --seed "$i" --assert "$job_t" >"$runs/job-$name-$i.json" \
			2>"$folder/cwt.err" || status=$?
		ended[$status]=$((${ended[$status]-0} + 1))
		reports+=("$runs/job-$name-$i.json")
	done
	row "${name//-/ }" "$count" "${ended[0]-0}" "${ended[1]-0}" "${ended[3]-0}" "${ended[5]-0}" \
		"$wanted" "$(jq -s --arg cause "$cause" 'map(select(.shift == $cause)) | length' "${reports[@]}") times $cause"
}

measure_job() {
	local base=$folder/tune.json other=$folder/other.json job_t
	heading 'The job' "cwt tune --assert with a baseline of c = 5 ms, w = 100 ms, $job_runs runs for \
each change and $((2 * job_runs)) without."
	"${job_tune[@]}" --cpu 5ms --wall 100ms --save "$base" >/dev/null
	job_t=$(jq .threads "$base")
	jq '.cores = 2 | .plateau_rps *= 2 | .interval |= map(. * 2) | .threads *= 2' "$base" >"$other"
	table change runs 'right (0)' 'left (1)' 'not known (3)' 'invalid (5)' wanted 'cause told'
	job unchanged $((2 * job_runs)) none 0 --cpu 5ms --wall 100ms --baseline "$base"
	job w-half-as-long-again "$job_runs" w 1 --cpu 5ms --wall 150ms --baseline "$base"
	job c-30-%-longer "$job_runs" c 1 --cpu 6500us --wall 100ms --baseline "$base"
	job_t=$((2 * job_t))
	job one-processor-instead-of-two "$job_runs" cores 1 --cpu 5ms --wall 100ms --baseline "$other"
	say ''
}
