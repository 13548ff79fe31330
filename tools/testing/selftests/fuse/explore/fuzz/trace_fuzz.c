// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target: any bytes are a trace or are refused with a place and a
 * reason; what is a trace, printed and read again, is the same trace.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print_and_read(const struct trace *t, const struct vocabulary *voc)
{
	struct trace_error error;
	struct trace again;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return;
	trace_init(&again);
	if (trace_print(t, f) || fclose(f) || trace_parse(&again, voc, text, len, &error) ||
	    !trace_equal(t, &again))
		abort();
	trace_free(&again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vocabulary voc;
	struct trace_error error = { 0 };
	struct trace t;
	int ret;

	if (!voc.count && vocabulary_init(&voc))
		abort();
	trace_init(&t);
	ret = trace_parse(&t, &voc, (const char *)data, size, &error);
	if (!ret)
		print_and_read(&t, &voc);
	else if (ret == -EINVAL && (!error.line || !error.column || !error.why[0]))
		abort();
	trace_free(&t);
	return 0;
}
