# How far the loop is ahead of the pool, over w/c: max(1, (w/c)/t), and the points.
load ARG0[1:strlen(ARG0) - strlen('crossover.gp')].'style.gp'
set terminal svg size 900,600 dynamic enhanced font 'Helvetica,18' background rgb 'white'
set output 'crossover.svg'
set logscale xy
set samples 2000
set xlabel 'wall time over CPU time of a request, w/c'
set ylabel 'throughput of loop / of pool'
set format x '10^{%T}'
# No narrower than the model's cases, and as wide as the points.
stats 'crossover.dat' using 1 nooutput name 'x'
stats 'crossover.dat' using 3 nooutput name 'y'
set xrange [(x_min < 1 ? x_min : 1) * 0.7:(x_max * 1.4 > 30000 ? x_max * 1.4 : 30000)]
set yrange [(y_min < 1 ? y_min : 1) * 0.7:(y_max * 1.4 > 1000 ? y_max * 1.4 : 1000)]
set key top left reverse Left samplen 3 spacing 1.15 opaque
max(a, b) = a > b ? a : b
marker(i) = int(word('7 9 13 11 5', (i - 1) % 5 + 1))
limits = system("grep -v '^#' crossover.dat | cut -d' ' -f2 | sort -nu | tr '\n' ' '")
plot for [i = 1:words(limits)] max(1, x / real(word(limits, i))) with lines lc rgb model lw 1.8 dt i \
         title sprintf('model, t = %s', word(limits, i)), \
     for [i = 1:words(limits)] 'crossover.dat' using 1:(($2 == real(word(limits, i))) ? $3 : 1/0):4 \
         with yerrorbars lc rgb threaded pt marker(i) ps 1.4 lw 2 \
         title sprintf('measured, t = %s', word(limits, i))
