// SPDX-License-Identifier: GPL-2.0
#include "traces.h"

/* Paths are those of the Makefile's directory. */
#define CARRY(id, file)						\
	__asm__(".pushsection .rodata\n"			\
		".global trace_" #id ", trace_" #id "_end\n"	\
		"trace_" #id ":\n"				\
		".incbin \"explore/traces/" file ".trace\"\n"	\
		"trace_" #id "_end:\n"				\
		".popsection\n");				\
	extern const char trace_##id[], trace_##id##_end[]

#define KEPT(id, file, deviation) { file, deviation, trace_##id, trace_##id##_end }

CARRY(write, "write-reaches-live-map");
CARRY(store, "store-reaches-every-reader");
CARRY(fork, "fork-shares-the-mapping");
CARRY(second, "second-process-opens-its-own");
CARRY(hole, "hole-under-live-mapping");
CARRY(truncate, "truncate-under-mapping");
CARRY(notify, "notifications-change-nothing");
CARRY(modes, "modes-keep-each-other-out");
CARRY(times, "times-stand-still-without-writes");
CARRY(refused, "direct-write-refused-in-part");
CARRY(below, "direct-read-refused-below");
CARRY(d1, "d1-stat-after-store");
CARRY(d2, "d2-cached-open-beside-mapping");
CARRY(d3, "d3-cleared-append");
CARRY(d4, "d4-splice-beside-direct");
CARRY(d12, "d12-asynchronous-read-beside-growth");

const struct kept_trace kept_traces[] = {
	KEPT(write, "write-reaches-live-map", NULL),
	KEPT(store, "store-reaches-every-reader", NULL),
	KEPT(fork, "fork-shares-the-mapping", NULL),
	KEPT(second, "second-process-opens-its-own", NULL),
	KEPT(hole, "hole-under-live-mapping", NULL),
	KEPT(truncate, "truncate-under-mapping", NULL),
	KEPT(notify, "notifications-change-nothing", NULL),
	KEPT(modes, "modes-keep-each-other-out", NULL),
	KEPT(times, "times-stand-still-without-writes", NULL),
	KEPT(refused, "direct-write-refused-in-part", NULL),
	KEPT(below, "direct-read-refused-below", NULL),
	KEPT(d1, "d1-stat-after-store", "D1"),
	KEPT(d2, "d2-cached-open-beside-mapping", "D2"),
	KEPT(d3, "d3-cleared-append", "D3"),
	KEPT(d4, "d4-splice-beside-direct", "D4"),
	KEPT(d12, "d12-asynchronous-read-beside-growth", "D12"),
	{ NULL, NULL, NULL, NULL }
};
