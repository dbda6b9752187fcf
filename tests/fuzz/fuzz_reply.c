/*
 * Fuzzes the check of replies (loadgen/engine/reply.h): any bytes, as what a server sends before
 * it closes. What a reply is shall not depend on how the network cuts it, nor on whether there is
 * a template to compare it with; that is the oracle, and the parser alone, over one piece, is
 * what it is compared with.
 *
 *   input: │ which │ piece │ piece │ piece │ reply, and whatever follows it ...
 *
 * `which` has a bit for each of ON_HEAD ... PREVIOUS_TEMPLATE. The pieces' lengths are taken in
 * turn; 0 is all the rest.
 */
#include "loadgen/engine/reply.h"
#include "tests/fuzz/fuzz.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ON_HEAD = 1, ON_SAME_REPLY = 2, FIXED_TEMPLATE = 4, PREVIOUS_TEMPLATE = 8 };
enum { PIECES = 3, HEADER_BYTES = 1 + PIECES, REPLIES_MOST = 8 };

struct span {
	const char *bytes;
	size_t length;
};

/* What became of the first reply in a span. */
struct verdict {
	enum reply_outcome outcome;
	size_t used;     /* where it ended; 0 where that is not told */
	bool keep_alive; /* of a good one */
};

#define PROMISE(holds)                                                                             \
	do {                                                                                       \
		if (!(holds)) {                                                                    \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #holds);        \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static bool is_judged(enum reply_outcome outcome)
{
	return outcome == REPLY_GOOD || outcome == REPLY_STATUS || outcome == REPLY_CHANGED;
}

/* From memory of just its size, so that a read past a piece's end shows. */
static enum reply_outcome feed_piece(struct reply_check *check, struct reply *reply,
				     struct span piece, size_t *used)
{
	char *copy = malloc(piece.length);
	enum reply_outcome outcome;

	PROMISE(copy);
	memcpy(copy, piece.bytes, piece.length);
	outcome = reply_feed(check, reply, copy, piece.length, used);
	PROMISE(*used <= piece.length);
	PROMISE(outcome != REPLY_MORE || *used == piece.length);
	free(copy);
	return outcome;
}

static struct verdict judge(struct reply_check *check, struct span input,
			    const uint8_t pieces[PIECES])
{
	struct verdict verdict = { .outcome = REPLY_MORE };
	struct reply reply = { 0 };
	size_t offset = 0;

	for (int i = 0; verdict.outcome == REPLY_MORE && offset < input.length; i++) {
		size_t left = input.length - offset;
		size_t length = pieces[i % PIECES];
		size_t used = 0;

		if (length == 0 || length > left)
			length = left;
		verdict.outcome = feed_piece(check, &reply,
					     (struct span){ input.bytes + offset, length }, &used);
		offset += used;
	}
	if (verdict.outcome == REPLY_MORE)
		verdict.outcome = reply_end_of_input(check, &reply);
	PROMISE(verdict.outcome != REPLY_MORE);
	if (is_judged(verdict.outcome))
		verdict.used = offset;
	verdict.keep_alive = verdict.outcome == REPLY_GOOD && reply.keep_alive;
	reply_clear(check, &reply);
	PROMISE(!reply.message && reply.matched == 0);
	return verdict;
}

/* A reply on another connection, half of it like the template when this one begins. */
static void begin_bystander(struct reply_check *check, struct reply *bystander, struct span half)
{
	size_t used;

	if (half.length > 0)
		PROMISE(feed_piece(check, bystander, half, &used) == REPLY_MORE);
	PROMISE(check->partial == (half.length > 0));
}

static void end_bystander(struct reply_check *check, struct reply *bystander, struct span template)
{
	size_t half = template.length / 2;
	size_t used;

	PROMISE(check->partial == (half > 0));
	if (half > 0) {
		struct span rest = { template.bytes + half, template.length - half };

		PROMISE(feed_piece(check, bystander, rest, &used) == REPLY_GOOD);
		PROMISE(used == rest.length);
	}
	reply_clear(check, bystander);
	PROMISE(check->partial == 0);
}

/* Judge it again, with a template if that is not empty, and cut like that. */
static void expect_same(unsigned which, struct span template, struct span input,
			const uint8_t pieces[PIECES], struct verdict expected)
{
	static const uint8_t whole[PIECES];
	static struct reply_check check;
	struct reply bystander = { 0 };
	struct verdict verdict;

	memset(&check, 0, sizeof(check));
	check.head_request = which & ON_HEAD;
	check.same_reply = which & ON_SAME_REPLY;
	if (template.length > 0) {
		PROMISE(judge(&check, template, whole).outcome == REPLY_GOOD);
		PROMISE(check.template_length == template.length);
		if (check.same_reply && expected.outcome == REPLY_GOOD &&
		    (expected.used != template.length ||
		     memcmp(template.bytes, input.bytes, template.length) != 0))
			expected = (struct verdict){ REPLY_CHANGED, expected.used, false };
	}
	begin_bystander(&check, &bystander, (struct span){ template.bytes, template.length / 2 });
	verdict = judge(&check, input, pieces);
	PROMISE(verdict.outcome == expected.outcome);
	PROMISE(verdict.used == expected.used);
	PROMISE(verdict.keep_alive == expected.keep_alive);
	end_bystander(&check, &bystander, template);
}

static struct verdict judge_plainly(unsigned which, struct span input)
{
	static const uint8_t whole[PIECES];
	static struct reply_check check;

	memset(&check, 0, sizeof(check));
	check.head_request = which & ON_HEAD;
	return judge(&check, input, whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const uint8_t whole[PIECES];
	static const uint8_t bytewise[PIECES] = { 1, 1, 1 };
	static const char fixed[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	struct span template = { NULL, 0 };
	struct span input;
	unsigned which;

	if (size < HEADER_BYTES)
		return 0;
	which = bytes[0];
	if (which & FIXED_TEMPLATE)
		template = (struct span){ fixed, sizeof(fixed) - 1 };
	input = (struct span){ (const char *)bytes + HEADER_BYTES, size - HEADER_BYTES };
	for (int i = 0; i < REPLIES_MOST && input.length > 0; i++) {
		struct verdict verdict = judge_plainly(which, input);

		expect_same(which, template, input, whole, verdict);
		expect_same(which, template, input, bytewise, verdict);
		expect_same(which, template, input, bytes + 1, verdict);
		if (verdict.outcome != REPLY_GOOD)
			break;
		if ((which & PREVIOUS_TEMPLATE) && verdict.used <= REPLY_TEMPLATE_BYTES)
			template = (struct span){ input.bytes, verdict.used };
		input.bytes += verdict.used;
		input.length -= verdict.used;
	}
	return 0;
}
