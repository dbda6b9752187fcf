# What generators say of a server that stalls: a curve for each block of the data file, of which the
# first is what theory says. Arguments: data file, SVG file, title.
load ARG0[1:strlen(ARG0) - strlen('omission.gp')].'style.gp'
set terminal svg size 900,600 dynamic enhanced font 'Helvetica,18' background rgb 'white'
set output ARG2
set title ARG3 noenhanced font ',16'
at_least(value, least) = value > least ? value : least
stats ARG1 using 2 nooutput name 'x'
stats ARG1 using (at_least($3, 1)) nooutput name 'y'
load ARG0[1:strlen(ARG0) - strlen('omission.gp')].'percentile_axes.gp'

# Theory is a broad band, so that what lies on it shows on it.
curve_colours = '#c8c8c8 '.model.' '.evented.' '.threaded
width(i) = i == 1 ? 9 : 2.4
dash(i) = i < 3 ? 1 : i - 1 # after dt, a parenthesis would begin a pattern
plot for [i = 1:x_blocks] ARG1 index i - 1 using 2:(at_least($3, 1)) with lines \
         lc rgb word(curve_colours, i) dt dash(i) lw width(i) title columnheader(1)
