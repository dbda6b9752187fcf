/*
 * What is wrong with a value of `cwt load`, said before a run rather than after it: a mistake that
 * shows up at the end has cost the run.
 */
#pragma once
#include "common/net.h"
#include "common/options.h"
#include "loadgen/commands/load_job.h"

/* What is wrong with a text that url_parse() refuses with -EINVAL, and what to write instead. */
const char *load_check_url(const char *text);

/* Whether connections can come from there: 0, or -errno; -EADDRNOTAVAIL: not of this machine. */
int load_check_source(const struct net_address *source);

/* Whether a file can be written there: 0 or -errno. Leaves no trace. */
int load_check_output(const char *path);

/* It was on the command line. */
bool load_is_given(const struct option_table *table, const char *name);

/* The first given option that wrk has nothing like, or NULL. */
const char *load_check_wrk(const struct option_table *table);

/* The first given option that the engine has no use for, or NULL. */
const char *load_check_engine(const struct option_table *table, enum load_engine engine);
