# Loop over pool, over w/c and t: percent up to twice as much, then times. Colours are of the
# logarithm.
load ARG0[1:strlen(ARG0) - strlen('lead.gp')].'style.gp'
name = 'lead'
label = 'throughput of loop / of pool   (text: % up to ×2, then times; grey: invalid, or not measured)'
reach = 2.0
ticks = 'pool~≥×100 -2 pool~×10 -1 pool~×2 -0.301 level 0 loop~×2 0.301 loop~×10 1 loop~≥×100 2'
load ARG0[1:strlen(ARG0) - strlen('lead.gp')].'map.gp'
