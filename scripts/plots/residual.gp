# Measured over predicted, less 1, over w/c and t. Predicted is what is to hold: the calibrated min()
# for constant times, the closed network for exponential ones.
load ARG0[1:strlen(ARG0) - strlen('residual.gp')].'style.gp'
name = 'residual'
label = 'measured / predicted − 1, in %   (!: verdict against the model   ?: inconclusive   grey: invalid, or not measured)'
reach = 20.0
ticks = '≤−20 -20 −10 -10 −5 -5 0 0 +5 5 +10 10 ≥+20 20'
load ARG0[1:strlen(ARG0) - strlen('residual.gp')].'map.gp'
