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

/*
 * Whether the job's files can be written, each to a place of its own. Leaves no trace. Returns
 * CWT_OK, or a usage error of which one line was printed.
 */
int load_check_outputs(const struct option_table *table, const struct load_job *job);

/* It was on the command line. */
bool load_is_given(const struct option_table *table, const char *name);

/* The first given option that wrk has nothing like, or NULL. */
const char *load_check_wrk(const struct option_table *table);

/* The first given option that the engine has no use for, or NULL. */
const char *load_check_engine(const struct option_table *table, enum load_engine engine);
