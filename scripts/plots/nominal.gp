# Measured over min(k/c, t/w) as published, less 1, over w/c and t.
load ARG0[1:strlen(ARG0) - strlen('nominal.gp')].'style.gp'
name = 'nominal'
label = 'measured / min(k/c, t/w) − 1, in %   (grey: invalid, or not measured)'
reach = 20.0
ticks = '≤−20 -20 −10 -10 −5 -5 0 0 +5 5 +10 10 ≥+20 20'
load ARG0[1:strlen(ARG0) - strlen('nominal.gp')].'map.gp'
