# Statistics and formats for the tables of scripts/truth.

def median: sort | (.[length / 2 | floor] + .[(length - 1) / 2 | floor]) / 2;

# With so many digits behind the point.
def fixed($digits): pow(10; $digits) as $scale
	| if . == null then "–"
	  else (. * $scale | round) as $n
	  | (if $n < 0 then "-" else "" end) + (($n | fabs) as $n
	  | ($n / $scale | floor | tostring)
	  + (if $digits == 0 then "" else "." + (("000000" + ($n % $scale | tostring))[-$digits:]) end))
	  end;

# An error with its sign.
def signed($digits): if . == null then "–" else (if . >= 0 then "+" else "" end) + fixed($digits) end;
def us: . / 1000;
def percent($digits): (. * 100 | fixed($digits)) + " %";

# Cells of a table.
def cells: "| " + join(" | ") + " |";

# The least value that at least this share of an ascending array does not exceed.
def quantile($q): .[[(length * $q | ceil) - 1, 0] | max];

# How many reports are valid, and the verdicts of the others.
def verdicts: map(.verdict) as $all
	| ([$all[] | select(. == "valid")] | length) as $valid
	| "\($valid) of \($all | length)"
	+ ([$all[] | select(. != "valid")] | group_by(.) | map(", \(length) \(.[0])") | join(""));
