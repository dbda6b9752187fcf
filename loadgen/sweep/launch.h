/* How servers, ours and others, and the backend are started for a sweep. */
#pragma once
#include "loadgen/sweep/measure.h"

enum { LAUNCH_GRACE_NS = 1000000000 };

/*
 * Start the server that `asked` describes: cwt-server, or one by its recipe, which *other is then;
 * else other->recipe is NULL. Returns 0, or -errno with a sentence in measure->why.
 */
int launch_server(struct measure *measure, const struct run *asked, struct process *server,
		  struct recipe_server *other);

/* Start measure->backend, likewise. */
int launch_backend(struct measure *measure);
