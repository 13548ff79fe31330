/* SPDX-License-Identifier: GPL-2.0 */
/* What guardian.c (the program's side) and guardian_process.c say to each other. */
#ifndef FUSE_SELFTEST_GUARDIAN_INTERNAL_H
#define FUSE_SELFTEST_GUARDIAN_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Patience of each side with the other, and of the guardian with a dying tester. */
#define GUARDIAN_SECONDS	10

/* Sandboxes of one program at the same time */
#define GUARDIAN_WARDS		32

enum guardian_request {
	/* On the program's socket */
	GUARDIAN_WATCH,			/* with WARD_FDS descriptors; the answer is a slot */
	GUARDIAN_QUIT,			/* not answered */
	/* On the ward's socket; the answer is 0 or a negative errno */
	GUARDIAN_ARMED,			/* the sentinel holds the slot */
	GUARDIAN_CONNECTION,
	GUARDIAN_RELEASE,
};

/* The descriptors sent with GUARDIAN_WATCH, in this order */
enum ward_fd {
	WARD_TALK,			/* socket for the requests of this ward */
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

/* In memory shared by guardian and testers */
struct guardian_slots {
	pthread_mutex_t life[GUARDIAN_WARDS];
};

struct guardian_config {
	struct guardian_slots *slots;
	int sock;
	int program_pidfd;
	pid_t program;
	bool asleep;			/* deliberate fault: let the dead rest */
	char fusectl[128];
};

/* Body of the guardian process; returns when there is nothing left to watch. */
void guardian_process(const struct guardian_config *cfg);

#endif /* FUSE_SELFTEST_GUARDIAN_INTERNAL_H */
