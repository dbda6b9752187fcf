# Axes of 1/(1-q) and latency, with labels for percentiles and times. To be loaded when `stats` has
# left x_max, y_min and y_max, and at_least() is there.

# No less than a decade on either axis, so that there are labels to read.
right = at_least(x_max, 10)
low = y_min / 1.3
high = at_least(y_max * 1.6, low * 10)
decades = ceil(log10(right))
set logscale xy
set xrange [1:right * 1.1]
set yrange [low:high]
set xlabel 'percentile'
set xtics ('50%%' 2, '90%%' 10)
nines(d) = '99'.(d > 2 ? '.'.'9999999999999999'[1:d - 2] : '').'%%'
turned = decades > 7
do for [d = 2:decades] { set xtics add (nines(d) 10**d) }
if (turned) { set xtics rotate by 25 right font ',14'; set bmargin 5.5 }
set mxtics 1
set ylabel 'latency'
set ytics () font ',16'
label(value) = value >= 1e9 ? sprintf('%g s', value / 1e9) : value >= 1e6 ? sprintf('%g ms', value / 1e6) : \
               value >= 1e3 ? sprintf('%g µs', value / 1e3) : sprintf('%g ns', value)
between = high / low < 2000
do for [d = 0:19] {
	set ytics add (label(10.0**d) 10.0**d)
	if (between) { set ytics add (label(2 * 10.0**d) 2 * 10.0**d, label(5 * 10.0**d) 5 * 10.0**d) }
}
set grid xtics ytics lc rgb '#dddddd' lw 0.8 lt 1
# Above, since a server that is overloaded is slow from the first percentile on.
set key above horizontal reverse Left samplen 4 width 2
