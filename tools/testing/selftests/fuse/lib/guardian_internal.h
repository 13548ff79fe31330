/* SPDX-License-Identifier: GPL-2.0 */
/* What guardian.c (the program's side) and guardian_process.c say to each other. */
#ifndef FUSE_SELFTEST_GUARDIAN_INTERNAL_H
#define FUSE_SELFTEST_GUARDIAN_INTERNAL_H

#include <limits.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Patience of each side with the other, and of the guardian with a dying tester. */
#define GUARDIAN_SECONDS	10

enum guardian_request {
	GUARDIAN_WATCH,			/* on the program's socket, with WARD_FDS descriptors */
	GUARDIAN_QUIT,			/* on the program's socket */
	GUARDIAN_CONNECTION,		/* on the ward's socket, acknowledged with an int */
	GUARDIAN_RELEASE,		/* on the ward's socket, acknowledged with an int */
};

/* The descriptors sent with GUARDIAN_WATCH, in this order */
enum ward_fd {
	WARD_TALK,			/* socket for the requests of this ward */
	WARD_LIFE,			/* pipe whose only writer is the sentinel */
	WARD_TESTER,			/* pidfd */
	WARD_PARENT,			/* pidfd of the tester's parent inside the program */
	WARD_FDS
};

/* Room for them in a message, aligned as cmsg(3) wants it */
union ward_control {
	struct cmsghdr header;
	char room[CMSG_SPACE(WARD_FDS * sizeof(int))];
};

struct guardian_message {
	enum guardian_request request;
	unsigned int connection;
	pid_t tester;
	pid_t parent;
	pid_t group;			/* 0: the group has processes from outside the program */
	char dir[128];
};

struct guardian_config {
	int sock;
	int program_pidfd;
	pid_t program;
	bool asleep;			/* deliberate fault: let the dead rest */
	char fusectl[128];
};

/* Body of the guardian process; returns when there is nothing left to watch. */
void guardian_process(const struct guardian_config *cfg);

#endif /* FUSE_SELFTEST_GUARDIAN_INTERNAL_H */
