/* A recipe at work: its places filled, its files written, started, ready, stopped. */
#include "common/clock.h"
#include "common/cpus.h"
#include "common/net.h"
#include "common/units.h"
#include "loadgen/target/ready.h"
#include "loadgen/target/recipe.h"
#include "loadgen/target/template.h"
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	WORDS_MOST = 64,
	ENVIRONMENT_MOST = 512,
	FILLED_MAX = 4 * RECIPE_TEXT_MAX,
	FILE_MAX_BYTES = 64 * 1024,
	NUMBER_MAX = 32,
	PLACES = 14,
};

static int fail(char why[RECIPE_WHY_MAX], int rc, const struct recipe *recipe, const char *what,
		const char *detail)
{
	snprintf(why, RECIPE_WHY_MAX, "%s: %s%s%s", recipe->name, what, detail[0] ? ": " : "",
		 detail);
	return rc;
}

/* Places */

struct places {
	char threads[NUMBER_MAX];
	char threads_and_one[NUMBER_MAX];
	char connections[NUMBER_MAX];
	char address[NET_TEXT_MAX];
	char work_ns[NUMBER_MAX];
	char wait_ns[NUMBER_MAX];
	char wait_us[NUMBER_MAX];
	char cpus[RECIPE_NAME_MAX];
	char programs[RECIPE_PATH_MAX];
	struct template_value values[PLACES];
};

static void format_number(char text[NUMBER_MAX], int64_t number)
{
	snprintf(text, NUMBER_MAX, "%lld", (long long)number);
}

static const char *port_of(const char *address)
{
	const char *colon = strrchr(address, ':');

	return colon ? colon + 1 : "";
}

/* The folder of ours. */
static const char *programs_of(const char *given, char path[RECIPE_PATH_MAX])
{
	return given ? given : process_programs(path);
}

static void set_places(struct places *places, const struct recipe_use *use,
		       const struct recipe_server *server)
{
	const char *upstream = use->upstream ? use->upstream : "";

	format_number(places->threads, use->threads);
	format_number(places->threads_and_one, use->threads + 1);
	format_number(places->connections, use->connections);
	format_number(places->work_ns, use->cpu_ns);
	format_number(places->wait_ns, use->wait_ns);
	format_number(places->wait_us, use->wait_ns / NS_PER_US);
	snprintf(places->address, sizeof(places->address), "%s", server->process->address);
	if (use->cpus)
		cpus_format(use->cpus, places->cpus, sizeof(places->cpus));
	memcpy(places->values,
	       (const struct template_value[PLACES]){
		       { "threads", places->threads },
		       { "threads_and_one", places->threads_and_one },
		       { "connections", places->connections },
		       { "address", places->address },
		       { "port", port_of(places->address) },
		       { "upstream", upstream },
		       { "upstream_port", port_of(upstream) },
		       { "cpus", places->cpus },
		       { "work_ns", places->work_ns },
		       { "wait_ns", places->wait_ns },
		       { "wait_us", places->wait_us },
		       { "run", server->run },
		       { "folder", server->recipe->folder },
		       { "programs", programs_of(use->programs, places->programs) },
	       },
	       sizeof(places->values));
}

/* Words of a text with its places filled, in `filled`. Returns how many, or -errno. */
static int words_of(const char *text, const struct places *places, char filled[FILLED_MAX],
		    char **words, int room)
{
	int rc = template_fill(text, places->values, PLACES, filled, FILLED_MAX);

	return rc != 0 ? rc : template_split(filled, words, room);
}

/* Files */

/* A template of the recipe's folder, filled, into the run's folder under the same name. */
static int write_file(const struct recipe_server *server, const struct places *places,
		      const char *name)
{
	char *text = calloc(2, FILE_MAX_BYTES);
	char *filled = text ? text + FILE_MAX_BYTES : NULL;
	char path[RECIPE_PATH_MAX + RECIPE_NAME_MAX];
	FILE *file;
	int rc = text ? 0 : -ENOMEM;

	snprintf(path, sizeof(path), "%s/%s", server->recipe->folder, name);
	file = rc == 0 ? fopen(path, "re") : NULL;
	if (rc == 0 && !file)
		rc = -errno;
	if (file) {
		if (fread(text, 1, FILE_MAX_BYTES, file) == FILE_MAX_BYTES)
			rc = -E2BIG;
		fclose(file);
	}
	if (rc == 0)
		rc = template_fill(text, places->values, PLACES, filled, FILE_MAX_BYTES);
	snprintf(path, sizeof(path), "%s/%s", server->run, name);
	file = rc == 0 ? fopen(path, "we") : NULL;
	if (rc == 0 && (!file || fputs(filled, file) < 0))
		rc = -errno;
	if (file && fclose(file) != 0 && rc == 0)
		rc = -errno;
	free(text);
	return rc;
}

/* The folder with all that the server has left in it, two levels deep. */
static void remove_folder(const char *path, int depth)
{
	DIR *folder = opendir(path);

	while (folder) {
		const struct dirent *entry = readdir(folder);
		char inner[RECIPE_PATH_MAX + NAME_MAX];
		struct stat status;

		if (!entry)
			break;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
		if (lstat(inner, &status) == 0 && S_ISDIR(status.st_mode) && depth > 0)
			remove_folder(inner, depth - 1);
		else
			unlink(inner);
	}
	if (folder)
		closedir(folder);
	rmdir(path);
}

static int make_folder(struct recipe_server *server)
{
	const char *base = getenv("TMPDIR");

	snprintf(server->run, sizeof(server->run), "%s/cwt-%s-XXXXXX", base ? base : "/tmp",
		 server->recipe->name);
	if (mkdtemp(server->run))
		return 0;
	server->run[0] = '\0';
	return -errno;
}

/* Programs */

/* A file, or a program on the path. */
static bool is_there(const char *program)
{
	const char *path = getenv("PATH");
	char copy[RECIPE_PATH_MAX];
	char full[2 * RECIPE_PATH_MAX];
	char *rest = copy;
	const char *folder;

	if (strchr(program, '/'))
		return access(program, R_OK) == 0;
	snprintf(copy, sizeof(copy), "%s", path ? path : "/usr/bin:/bin");
	while ((folder = strsep(&rest, ":"))) {
		snprintf(full, sizeof(full), "%s/%s", folder, program);
		if (access(full, X_OK) == 0)
			return true;
	}
	return false;
}

static const char *complain_of(const struct recipe *recipe, const char *program,
			       char why[RECIPE_WHY_MAX])
{
	bool is_built = strstr(recipe->needs, "{programs}") && strchr(program, '/');

	if (recipe->package[0])
		snprintf(why, RECIPE_WHY_MAX,
			 "%s: %.120s is not installed: apt-get install %.240s%s", recipe->name,
			 program, recipe->package, is_built ? ", and build again" : "");
	else
		snprintf(why, RECIPE_WHY_MAX, "%s: %.240s is not installed", recipe->name, program);
	return why;
}

const char *recipe_missing(const struct recipe *recipe, const char *programs,
			   char why[RECIPE_WHY_MAX])
{
	char path[RECIPE_PATH_MAX];
	const struct template_value values[] = { { "programs", programs_of(programs, path) },
						 { "folder", recipe->folder } };
	const char *const texts[] = { recipe->command, recipe->needs };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char filled[FILLED_MAX];
		char *words[WORDS_MOST];
		int count = -1;

		if (template_fill(texts[i], values, 2, filled, sizeof(filled)) == 0)
			count = template_split(filled, words, WORDS_MOST);
		if (i == 0 && count > 1)
			count = 1; /* the program; the others are its arguments */
		for (int j = 0; j < count; j++)
			if (!is_there(words[j]))
				return complain_of(recipe, words[j], why);
	}
	return NULL;
}

/* Start and stop */

/* A port of 127.0.0.1 that is free now. */
static int choose_address(struct recipe_server *server, struct net_address *address)
{
	int fd;

	net_parse("127.0.0.1:0", address);
	fd = net_listen(address, 0);
	if (fd < 0)
		return fd;
	close(fd);
	net_format(address, server->process->address);
	return 0;
}

/* Ours, with the recipe's in front, which therefore count. Returns 0 or -errno. */
static int set_environment(char **environment, char **own, int count)
{
	int used = 0;

	for (int i = 0; i < count; i++)
		if (!own[i] || !strchr(own[i], '='))
			return -EINVAL;
		else
			environment[used++] = own[i];
	for (char **at = environ; *at && used + 1 < ENVIRONMENT_MOST; at++) {
		size_t length = strcspn(*at, "=");
		bool is_own = false;

		for (int i = 0; i < count; i++)
			is_own |= strncmp(own[i], *at, length + 1) == 0;
		if (!is_own)
			environment[used++] = *at;
	}
	environment[used] = NULL;
	return 0;
}

static int spawn(struct recipe_server *server, const struct recipe_use *use,
		 const struct places *places, char why[RECIPE_WHY_MAX])
{
	const struct recipe *recipe = server->recipe;
	char command[FILLED_MAX];
	char variables[FILLED_MAX];
	char *words[WORDS_MOST];
	char *own[WORDS_MOST] = { NULL };
	char *environment[ENVIRONMENT_MOST];
	struct process_spec spec = {
		.argv = words, .environment = environment, .cpus = use->cpus, .log = use->log
	};
	int count = words_of(recipe->environment, places, variables, own, WORDS_MOST);
	int rc = count < 0 ? count : set_environment(environment, own, count);

	if (rc != 0)
		return fail(why, rc, recipe, "environment", "want NAME=VALUE, separated by blanks");
	rc = words_of(recipe->command, places, command, words, WORDS_MOST);
	if (rc <= 0)
		return fail(why, rc < 0 ? rc : -EINVAL, recipe, "command", "it cannot be used");
	rc = process_spawn(server->process, &spec);
	return rc == 0 ? 0 : fail(why, rc, recipe, "it cannot be started", strerror(-rc));
}

/* What it said last, and what became of it. */
static void tell_end(const struct recipe_use *use, off_t log_start, const char *what,
		     const struct recipe *recipe, char why[RECIPE_WHY_MAX])
{
	char said[RECIPE_WHY_MAX / 2];

	process_last_line(use->log, log_start, said, sizeof(said));
	snprintf(why, RECIPE_WHY_MAX, "%s: %.240s%s%.280s", recipe->name, what,
		 said[0] ? "; it said: " : "", said);
}

int recipe_start(const struct recipe *recipe, const struct recipe_use *use, struct process *process,
		 struct recipe_server *server, char why[RECIPE_WHY_MAX])
{
	off_t log_start = process_log_size(use->log);
	char reason[READY_WHY_MAX];
	struct net_address address;
	struct places places = { .cpus = "" };
	int rc;

	*process = (struct process){ 0 };
	*server = (struct recipe_server){ .recipe = recipe, .process = process };
	if (recipe_missing(recipe, use->programs, why))
		return -ENOENT;
	rc = choose_address(server, &address);
	if (rc == 0)
		rc = make_folder(server);
	if (rc != 0)
		return fail(why, rc, recipe, "it cannot be started", strerror(-rc));
	set_places(&places, use, server);
	for (size_t i = 0; i < recipe->file_count && rc == 0; i++) {
		rc = write_file(server, &places, recipe->files[i]);
		if (rc != 0)
			fail(why, rc, recipe, recipe->files[i], strerror(-rc));
	}
	if (rc == 0)
		rc = spawn(server, use, &places, why);
	if (rc == 0) {
		rc = ready_await(server->process, &address, recipe->ready, recipe->ready_ns,
				 use->stop, reason);
		if (rc == 0 && recipe->processes && use->threads > 0)
			rc = ready_await_processes(server->process, use->threads + 1,
						   recipe->ready_ns, use->stop, reason);
		if (rc != 0)
			tell_end(use, log_start, reason, recipe, why);
	}
	if (rc == 0)
		return 0;
	process_stop(server->process, 0);
	remove_folder(server->run, 2);
	return rc;
}

const char *recipe_stop(struct recipe_server *server, char why[RECIPE_WHY_MAX])
{
	const struct recipe *recipe = server->recipe;
	bool had_ended = server->process->pid > 0 && process_has_ended(server->process);
	char grace[UNITS_TEXT_MAX];
	int status = process_stop_by(server->process, recipe->stop, recipe->grace_ns);

	remove_folder(server->run, 2);
	if (had_ended) {
		snprintf(why, RECIPE_WHY_MAX, "%s ended while it was needed, with %s %d",
			 recipe->name, status < 0 ? "signal" : "status", abs(status));
		return why;
	}
	if (status != -SIGKILL)
		return NULL;
	snprintf(why, RECIPE_WHY_MAX, "%s did not end within %s of SIG%s, and was killed",
		 recipe->name, units_format_duration(grace, (double)recipe->grace_ns),
		 sigabbrev_np(recipe->stop));
	return why;
}

char *recipe_config(const struct recipe *recipe, int64_t threads, char *text, size_t size)
{
	char number[NUMBER_MAX];
	char and_one[NUMBER_MAX];
	const struct template_value values[] = { { "threads", number },
						 { "threads_and_one", and_one } };

	format_number(number, threads);
	format_number(and_one, threads + 1);
	if (template_fill(recipe->config, values, 2, text, size) != 0 && size > 0)
		text[0] = '\0';
	return text;
}
