#include "tests/programs.h"
#include "common/clock.h"
#include "tests/conversations.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * The test's own patience, with a program that should have answered or closed: only what fails
 * takes so long.
 */
static const int64_t patience_ns = 20LL * 1000000000;

enum { POLL_NS = 1000000 };

static void pause_briefly(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = POLL_NS }, NULL);
}

/* What was started last, and where it says that it listens: told of when it does not answer. */
static pid_t last_pid;
static struct net_address last_address;

static void print_file(const char *format, int pid, const char *name)
{
	char path[64];
	char text[256] = "";
	FILE *file;
	size_t length;

	snprintf(path, sizeof(path), format, pid, name);
	file = fopen(path, "re");
	length = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
	for (size_t i = 0; i < length; i++)
		if (text[i] == '\0' || text[i] == '\n')
			text[i] = ' ';
	fprintf(stderr, "  %s: %s\n", path, text);
	if (file)
		fclose(file);
}

/* What its threads wait for, and the state of its connections. */
static void describe_last(void)
{
	char where[64];
	char line[256];
	FILE *list = fopen("/proc/net/tcp", "re");
	DIR *threads;

	fprintf(stderr, "no answer from a server:\n"); /* scripts/test knows it by that */
	print_file("/proc/%d/%s", (int)last_pid, "cmdline");
	snprintf(where, sizeof(where), "/proc/%d/task", (int)last_pid);
	threads = opendir(where);
	for (const struct dirent *entry = threads ? readdir(threads) : NULL; entry;
	     entry = readdir(threads))
		if (entry->d_name[0] != '.')
			print_file("/proc/%d/task/%s/wchan", (int)last_pid, entry->d_name);
	if (threads)
		closedir(threads);
	snprintf(where, sizeof(where), ":%04X ",
		 ntohs(((const struct sockaddr_in *)&last_address.storage)->sin_port));
	while (list && fgets(line, sizeof(line), list))
		if (strstr(line, where) && !strstr(line, " 06 ")) /* 06: TIME_WAIT */
			fprintf(stderr, "  %s", line);
	if (list)
		fclose(list);
}

static void become(const char *path, char *const *argv, int descriptors, int output, int errors)
{
	struct rlimit limit = { (rlim_t)descriptors, (rlim_t)descriptors };
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	dup2(output, STDOUT_FILENO);
	dup2(errors, STDERR_FILENO);
	if (descriptors == 0 || setrlimit(RLIMIT_NOFILE, &limit) == 0)
		execv(path, argv);
	_exit(127);
}

void program_start_limited(struct program *program, const char *name, const char *const *words,
			   int descriptors)
{
	const char *path = getenv(name);
	char *argv[PROGRAM_WORDS_MAX + 2] = { (char *)path };
	int pipe_ends[2];

	cr_assert_not_null(path, "%s is not set: run this test with `meson test`", name);
	for (int i = 0; words[i]; i++)
		argv[i + 1] = (char *)words[i];
	cr_assert_eq(pipe2(pipe_ends, O_CLOEXEC), 0);
	program->errors = memfd_create("errors", MFD_CLOEXEC);
	cr_assert_geq(program->errors, 0);
	program->backend_port = 0;
	program->told = false;
	program->pid = fork();
	cr_assert_geq(program->pid, 0);
	if (program->pid == 0)
		become(path, argv, descriptors, pipe_ends[1], program->errors);
	close(pipe_ends[1]);
	program->output = pipe_ends[0];
	/* A server that closes on us is a result, not the end of the test. */
	signal(SIGPIPE, SIG_IGN);
}

void program_start(struct program *program, const char *name, const char *const *words)
{
	program_start_limited(program, name, words, 0);
}

void program_await_ready(struct program *program)
{
	char line[128];
	char errors[PROGRAM_ERRORS_MAX];
	size_t used = 0;

	while (used < sizeof(line) - 1 && read(program->output, line + used, 1) == 1 &&
	       line[used] != '\n')
		used++;
	line[used] = '\0';
	cr_assert_eq(strncmp(line, "ready ", 6), 0, "not ready: '%s' %s", line,
		     program_errors(program, errors));
	cr_assert_eq(net_parse(line + 6, &program->address), 0, "%s", line);
	last_pid = program->pid;
	last_address = program->address;
}

void program_serve(struct program *program, const char *name, const char *words)
{
	char copy[512];
	const char *split[PROGRAM_WORDS_MAX + 1] = { NULL };
	char *rest;
	int count = 0;

	snprintf(copy, sizeof(copy), "%s", words);
	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		cr_assert_lt(count, PROGRAM_WORDS_MAX);
		split[count++] = word;
	}
	program_start(program, name, split);
	program_await_ready(program);
}

int program_wait(struct program *program)
{
	int status = -1;

	cr_assert_eq(waitpid(program->pid, &status, 0), program->pid);
	close(program->output);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void program_tell(struct program *program)
{
	kill(program->pid, SIGTERM);
	program->told = true;
}

void program_stop(struct program *program)
{
	char errors[PROGRAM_ERRORS_MAX];
	int status;

	if (!program->told)
		program_tell(program);
	status = program_wait(program);
	cr_assert_eq(status, 0, "status %d: %s", status, program_errors(program, errors));
	close(program->errors);
}

void program_await_deaf(const struct program *program)
{
	for (;;) {
		int fd = net_connect(&program->address, patience_ns, NULL);

		if (fd == -ECONNRESET) /* it was queued when the listener was closed */
			continue;
		if (fd < 0) {
			cr_assert_eq(fd, -ECONNREFUSED, "%s", strerror(-fd));
			return;
		}
		close(fd);
		pause_briefly();
	}
}

char *program_errors(const struct program *program, char text[PROGRAM_ERRORS_MAX])
{
	ssize_t got = pread(program->errors, text, PROGRAM_ERRORS_MAX - 1, 0);

	text[got > 0 ? got : 0] = '\0';
	return text;
}

enum { CONNECTIONS_MAX = 4096 };

/* The inodes of the sockets that are connected to loopback's `port`, as many as there are. */
static int connected_to(int port, unsigned long inodes[CONNECTIONS_MAX])
{
	FILE *list = fopen("/proc/net/tcp", "r");
	char line[256];
	int count = 0;

	cr_assert_not_null(list);
	while (fgets(line, sizeof(line), list)) {
		unsigned remote;
		unsigned long inode;

		if (sscanf(line, "%*s %*s %*[0-9A-F]:%x %*s %*s %*s %*s %*s %*s %lu", &remote,
			   &inode) != 2 ||
		    (int)remote != port || inode == 0) /* 0: it waits for its time to end */
			continue;
		cr_assert_lt(count, CONNECTIONS_MAX);
		inodes[count++] = inode;
	}
	fclose(list);
	return count;
}

static bool is_among(unsigned long inode, const unsigned long *inodes, int count)
{
	while (count-- > 0)
		if (inodes[count] == inode)
			return true;
	return false;
}

int program_children(const struct program *program, int children[PROGRAM_CHILDREN_MAX])
{
	char path[64];
	FILE *file;
	int count = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)program->pid,
		 (int)program->pid);
	file = fopen(path, "re");
	while (file && count < PROGRAM_CHILDREN_MAX && fscanf(file, "%d", &children[count]) == 1)
		count++;
	if (file)
		fclose(file);
	return count;
}

int64_t program_cpu_ns(const struct program *program)
{
	char path[64];
	char name[64];
	FILE *file;
	long user = 0;
	long kernel = 0;
	int children[PROGRAM_CHILDREN_MAX];
	int64_t total = 0;
	int64_t ns;

	cr_assert_eq(clock_process_cpu_ns(program->pid, &total), 0);
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)program->pid);
	file = fopen(path, "re");
	cr_assert_not_null(file);
	cr_assert_eq(fscanf(file,
			    "%*d %63s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %ld %ld",
			    name, &user, &kernel),
		     3);
	fclose(file);
	total += (user + kernel) * (NS_PER_S / sysconf(_SC_CLK_TCK));
	for (int i = program_children(program, children); i-- > 0;)
		if (clock_process_cpu_ns(children[i], &ns) == 0)
			total += ns;
	return total;
}

/* Those of one process but for the sockets `left_out`; 0 if it has just ended. */
static int descriptors_of(int pid, const unsigned long *left_out, int left_out_count)
{
	char path[64];
	int count = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	folder = opendir(path);
	if (!folder)
		return 0;
	for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
		char target[64] = "";
		unsigned long inode;

		if (entry->d_name[0] == '.')
			continue;
		if (left_out_count > 0 &&
		    readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1) > 0 &&
		    sscanf(target, "socket:[%lu]", &inode) == 1 &&
		    is_among(inode, left_out, left_out_count))
			continue;
		count++;
	}
	closedir(folder);
	return count;
}

int program_descriptors(const struct program *program)
{
	unsigned long calls[CONNECTIONS_MAX];
	int call_count = program->backend_port > 0 ? connected_to(program->backend_port, calls) : 0;
	int children[PROGRAM_CHILDREN_MAX];
	int count = program_children(program, children);
	int sum = descriptors_of((int)program->pid, calls, call_count);

	while (count-- > 0)
		sum += descriptors_of(children[count], calls, call_count);
	return sum;
}

void program_await_descriptors(const struct program *program, int most)
{
	int64_t tries = patience_ns / POLL_NS;
	int now;

	while ((now = program_descriptors(program)) > most && tries-- > 0)
		pause_briefly();
	cr_assert_leq(now, most, "%d descriptors are open, not %d", now, most);
}

int peer_listen(struct net_address *address)
{
	int fd;

	cr_assert_eq(net_parse("127.0.0.1:0", address), 0);
	fd = net_listen(address, 0);
	cr_assert_geq(fd, 0, "%s", strerror(-fd));
	net_set_timeout(fd, SO_RCVTIMEO, patience_ns);
	return fd;
}

int peer_accept(int listening)
{
	int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);

	cr_assert_geq(fd, 0, "nobody calls: %s", strerror(errno));
	net_set_timeout(fd, SO_RCVTIMEO, patience_ns);
	net_set_timeout(fd, SO_SNDTIMEO, patience_ns);
	return fd;
}

int client_connect(const struct program *program)
{
	int fd = net_connect(&program->address, patience_ns, NULL);

	cr_assert_geq(fd, 0, "%s", strerror(-fd));
	return fd;
}

bool client_send(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t rc = write(fd, bytes, length);

		if (rc < 0 && (errno == EPIPE || errno == ECONNRESET))
			return false;
		cr_assert_gt(rc, 0, "%s", strerror(errno));
		bytes += rc;
		length -= (size_t)rc;
	}
	return true;
}

static bool ends_in(const struct text *text, const char *end)
{
	size_t length = strlen(end);

	return text->length >= length &&
	       memcmp(text->bytes + text->length - length, end, length) == 0;
}

static struct text receive(int fd, size_t length, const char *end)
{
	struct text text = { .bytes = malloc(1) };
	size_t size = 1;
	ssize_t got;

	for (;;) {
		size_t want;

		if ((length > 0 && text.length == length) || (end && ends_in(&text, end)))
			break;
		if (text.length + 1 == size || size == 1) {
			size = size < 4096 ? 4096 : 2 * size;
			text.bytes = realloc(text.bytes, size);
			cr_assert_not_null(text.bytes);
		}
		want = size - 1 - text.length;
		if (length > 0 && want > length - text.length)
			want = length - text.length;
		got = read(fd, text.bytes + text.length, end ? 1 : want);
		if (got == 0 || (got < 0 && errno == ECONNRESET))
			break;
		if (got < 0) {
			int error = errno;

			describe_last();
			cr_assert_fail("%s, after '%.*s'", strerror(error), (int)text.length,
				       text.bytes);
		}
		text.length += (size_t)got;
	}
	text.bytes[text.length] = '\0';
	return text;
}

struct text client_receive(int fd, size_t length)
{
	return receive(fd, length, NULL);
}

struct text client_receive_until(int fd, const char *end)
{
	return receive(fd, 0, end);
}

static void join(struct text *text, struct text more)
{
	text->bytes = realloc(text->bytes, text->length + more.length + 1);
	cr_assert_not_null(text->bytes);
	memcpy(text->bytes + text->length, more.bytes, more.length + 1);
	text->length += more.length;
	free(more.bytes);
}

static bool send_in_pieces(int fd, const char *bytes, size_t length, size_t first, size_t step)
{
	size_t piece = first > 0 && first < length ? first : length < step ? length : step;

	while (length > 0) {
		if (!client_send(fd, bytes, piece))
			return false;
		bytes += piece;
		length -= piece;
		piece = length < step ? length : step;
	}
	return true;
}

static struct text talk(const struct program *program, const char *script, size_t first,
			size_t step)
{
	struct text text = { .bytes = calloc(1, 1) };
	int fd = client_connect(program);

	while (*script) {
		size_t length = strcspn(script, AWAIT);

		if (!send_in_pieces(fd, script, length, first, step))
			break;
		script += length;
		first = first > length ? first - length : 0;
		if (*script == CONVERSATION_AWAIT) {
			/* The end of a head is answer enough to go on. */
			join(&text, client_receive_until(fd, "\r\n\r\n"));
			script++;
		}
	}
	shutdown(fd, SHUT_WR);
	join(&text, client_receive(fd, 0));
	close(fd);
	return text;
}

struct text client_talk(const struct program *program, const char *script, size_t step)
{
	return talk(program, script, 0, step > 0 ? step : SIZE_MAX);
}

struct text client_talk_cut(const struct program *program, const char *script, size_t cut)
{
	return talk(program, script, cut, SIZE_MAX);
}
