# Latency over the percentile, on an axis of 1/(1-q). Arguments: data file, SVG file, title.
load ARG0[1:strlen(ARG0) - strlen('percentiles.gp')].'style.gp'
set terminal svg size 900,600 dynamic enhanced font 'Helvetica,18' background rgb 'white'
set output ARG2
set title ARG3 noenhanced font ',16'
at_least(value, least) = value > least ? value : least
stats ARG1 using 2 nooutput name 'x'
stats ARG1 using (at_least($3, 1)) nooutput name 'y'
load ARG0[1:strlen(ARG0) - strlen('percentiles.gp')].'percentile_axes.gp'

# Dashes over a thinner line show both where they coincide.
plot for [i = 1:x_blocks] ARG1 index i - 1 using 2:(at_least($3, 1)) with lines \
         lc rgb (i == 1 ? model : '#8c8c8c') dt i lw (i == 1 ? 2.4 : 3.6) title columnheader(1)
