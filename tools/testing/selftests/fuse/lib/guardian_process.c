// SPDX-License-Identifier: GPL-2.0
/*
 * The guardian process. Runs in the mount namespace of the sandboxes, forked
 * from a program that had neither threads nor FUSE files, so it may use the
 * heap and pins nothing. Nothing here may wait on a FUSE file system: mounts are
 * looked up in mountinfo, never by walking to them, and of other processes only
 * what the kernel tells without a reference to their memory. Whoever drops the
 * last such reference, by reading /proc/PID/stat for instance, does the unmapping
 * and writes dirty pages back.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "guardian_internal.h"
#include "mountinfo.h"
#include "sentinel.h"

#define MAX_CONNECTIONS	8		/* noted by one ward: one for each remount */
#define DYING_TICK_MS	5

enum ward_state {
	WARD_FREE,
	WARD_WATCHED,
	WARD_DYING,
	WARD_RELEASED,			/* but its sentinel still holds the slot */
	WARD_LOST,			/* nothing more can be done; the slot is not used again */
};

struct guarded {
	enum ward_state state;
	bool whole;			/* the program's part above the tester is gone as well */
	int fds[WARD_FDS];
	pthread_mutex_t *life;
	pthread_t waiter;		/* for the end of the sentinel; then it writes to */
	int ended;			/* this eventfd, -1 as long as there is no sentinel */
	pid_t tester;
	pid_t parent;
	pid_t group;
	time_t deadline;
	int abort_fds[MAX_CONNECTIONS];
	unsigned int connections;
	char dir[128];
};

struct guardian_state {
	const struct guardian_config *cfg;
	bool program_gone;
	bool program_leaving;		/* ... by exit(3), waiting for the guardian */
	struct guarded wards[GUARDIAN_WARDS];
};

static time_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static int open_abort(const char *fusectl, unsigned int connection)
{
	char path[192];
	int fd;

	snprintf(path, sizeof(path), "%s/%u/abort", fusectl, connection);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* An open file keeps meaning the connection it was opened for, even if the number is reused. */
static void abort_connection(int fd)
{
	/* After the end of the connection there is nothing to do and the error says so. */
	if (write(fd, "1", 1) < 0)
		return;
}

static bool same_mount(const struct mount_entry *a, const struct mount_entry *b)
{
	return a->major == b->major && a->minor == b->minor && !strcmp(a->point, b->point);
}

/* The mount is looked up again after the open: as long as it is there, so is its connection. */
static void abort_mounted(const char *fusectl, const char *dir, const struct mount_entry *mount)
{
	struct mount_entry again;
	int fd = open_abort(fusectl, mount->minor);

	if (fd < 0)
		return;
	if (mountinfo_last_below(dir, &again) && same_mount(&again, mount))
		abort_connection(fd);
	close(fd);
}

static void detach_mounts(const char *fusectl, const char *dir)
{
	struct mount_entry mount;

	while (mountinfo_last_below(dir, &mount)) {
		if (mount_entry_is_fuse(&mount))
			abort_mounted(fusectl, dir, &mount);
		if (umount2(mount.point, MNT_DETACH | UMOUNT_NOFOLLOW) &&
		    errno != EINVAL && errno != ENOENT)
			return;
	}
}

/* The namespace was made by this program, so whoever is in it belongs to the program. */
static bool in_our_namespace(const char *pid)
{
	char path[64], ours[64] = "", theirs[64] = "";

	snprintf(path, sizeof(path), "/proc/%.16s/ns/mnt", pid);
	if (readlink("/proc/self/ns/mnt", ours, sizeof(ours) - 1) < 0 ||
	    readlink(path, theirs, sizeof(theirs) - 1) < 0)
		return false;
	return !strcmp(ours, theirs);
}

/* The parent still has to report how the tester ended; it goes only if it is in the way. */
static bool to_be_killed(const struct guardian_state *state, const struct guarded *ward,
			 const char *name)
{
	pid_t pid = atoi(name);

	if (pid <= 0 || pid == getpid())
		return false;
	if (pid != ward->tester && !ward->whole &&
	    (pid == ward->parent || pid == state->cfg->program))
		return false;
	return getpgid(pid) == ward->group && in_our_namespace(name);
}

static void kill_group(const struct guardian_state *state, const struct guarded *ward)
{
	struct dirent *entry;
	DIR *proc;

	if (!ward->group)
		return;
	proc = opendir("/proc");
	if (!proc)
		return;
	while ((entry = readdir(proc)))
		if (to_be_killed(state, ward, entry->d_name))
			kill(atoi(entry->d_name), SIGKILL);
	closedir(proc);
}

static bool is_readable(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 0) > 0;
}

static void close_ward(struct guarded *ward)
{
	unsigned int i;

	for (i = 0; i < WARD_FDS; i++)
		close(ward->fds[i]);
	for (i = 0; i < ward->connections; i++)
		close(ward->abort_fds[i]);
	ward->connections = 0;
}

/* To be called when the sentinel has ended, or never was. */
static void free_ward(struct guarded *ward)
{
	close_ward(ward);
	if (ward->ended >= 0) {
		pthread_join(ward->waiter, NULL);
		close(ward->ended);
	}
	ward->state = WARD_FREE;
}

static void lose_ward(struct guarded *ward)
{
	close_ward(ward);
	if (ward->ended >= 0)
		pthread_detach(ward->waiter);
	ward->state = WARD_LOST;
}

static void begin_dying(struct guardian_state *state, struct guarded *ward)
{
	if (state->cfg->asleep) {
		lose_ward(ward);
		return;
	}
	ward->state = WARD_DYING;
	ward->deadline = now() + GUARDIAN_SECONDS;
}

/*
 * A system call of the tester that was under way may still add a mount, so this
 * is repeated until the last of its threads is gone, and once more after that.
 */
static void sweep(struct guardian_state *state, struct guarded *ward)
{
	bool leaving = state->program_leaving && ward->tester == state->cfg->program;
	bool gone = is_readable(ward->fds[WARD_TESTER]);
	unsigned int i;

	ward->whole |= state->program_gone || is_readable(ward->fds[WARD_PARENT]);
	for (i = 0; i < ward->connections; i++)
		abort_connection(ward->abort_fds[i]);
	detach_mounts(state->cfg->fusectl, ward->dir);
	if (!gone && !leaving)
		kill(ward->tester, SIGKILL);
	if (!leaving)
		kill_group(state, ward);
	if (gone)
		free_ward(ward);
	else if (leaving || now() > ward->deadline)
		lose_ward(ward);
}

static void *wait_for_sentinel(void *arg)
{
	struct guarded *ward = arg;

	sentinel_wait(ward->life);
	eventfd_write(ward->ended, 1);
	return NULL;
}

static int arm_ward(struct guarded *ward)
{
	int fd = eventfd(0, EFD_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	ward->ended = fd;
	err = pthread_create(&ward->waiter, NULL, wait_for_sentinel, ward);
	if (err) {
		ward->ended = -1;
		close(fd);
	}
	return -err;
}

/* Descriptors of a message, -1 where there are none. */
static void take_fds(struct msghdr *hdr, int *fds)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(hdr);

	memset(fds, -1, WARD_FDS * sizeof(int));
	if (cmsg && cmsg->cmsg_type == SCM_RIGHTS &&
	    cmsg->cmsg_len == CMSG_LEN(WARD_FDS * sizeof(int)))
		memcpy(fds, CMSG_DATA(cmsg), WARD_FDS * sizeof(int));
}

static bool receive(int sock, struct guardian_message *msg, int *fds)
{
	union ward_control control;
	struct iovec iov = { .iov_base = msg, .iov_len = sizeof(*msg) };
	struct msghdr hdr = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	if (recvmsg(sock, &hdr, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != sizeof(*msg))
		return false;
	take_fds(&hdr, fds);
	return true;
}

static void acknowledge(int talk, int answer)
{
	/* The other side may be dead by now; its life pipe will tell. */
	if (send(talk, &answer, sizeof(answer), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return;
}

static int add_ward(struct guardian_state *state, const struct guardian_message *msg,
		    const int *fds)
{
	struct guarded *ward;
	int slot = 0, err;

	while (slot < GUARDIAN_WARDS && state->wards[slot].state != WARD_FREE)
		slot++;
	if (slot == GUARDIAN_WARDS)
		return -EMFILE;
	ward = &state->wards[slot];
	*ward = (struct guarded){
		.life = &state->cfg->slots->life[slot],
		.ended = -1,
		.tester = msg->tester,
		.parent = msg->parent,
		.group = msg->group,
	};
	memcpy(ward->fds, fds, sizeof(ward->fds));
	memcpy(ward->dir, msg->dir, sizeof(ward->dir));
	err = sentinel_prepare(ward->life);
	if (err)
		return err;
	ward->state = WARD_WATCHED;
	return slot;
}

static void hear_watch(struct guardian_state *state, const struct guardian_message *msg,
		       const int *fds)
{
	int answer = add_ward(state, msg, fds);
	unsigned int i;

	acknowledge(fds[WARD_TALK], answer);
	if (answer < 0)
		for (i = 0; i < WARD_FDS; i++)
			close(fds[i]);
}

/*
 * The tester that told of it may have been killed since, and its number may be
 * another program's: what was opened is the tester's only if its mount stands.
 */
static int note_connection(const struct guardian_state *state, struct guarded *ward,
			   unsigned int connection)
{
	int fd = open_abort(state->cfg->fusectl, connection);
	struct mount_entry mount;

	if (fd < 0)
		return fd;
	if (!mountinfo_last_below(ward->dir, &mount) || !mount_entry_is_fuse(&mount) ||
	    mount.minor != connection) {
		close(fd);
		return -ENOTCONN;
	}
	/* Only the newest ones can still be alive. */
	if (ward->connections == MAX_CONNECTIONS) {
		close(ward->abort_fds[0]);
		memmove(ward->abort_fds, ward->abort_fds + 1,
			(MAX_CONNECTIONS - 1) * sizeof(int));
		ward->connections--;
	}
	ward->abort_fds[ward->connections++] = fd;
	return 0;
}

static void hear_release(struct guarded *ward)
{
	acknowledge(ward->fds[WARD_TALK], 0);
	if (ward->ended < 0)
		free_ward(ward);
	else
		ward->state = WARD_RELEASED;
}

static void hear_ward(const struct guardian_state *state, struct guarded *ward)
{
	struct guardian_message msg;
	int fds[WARD_FDS];

	if (!receive(ward->fds[WARD_TALK], &msg, fds))
		return;
	if (msg.request == GUARDIAN_RELEASE)
		hear_release(ward);
	else if (msg.request == GUARDIAN_ARMED)
		acknowledge(ward->fds[WARD_TALK], arm_ward(ward));
	else if (msg.request == GUARDIAN_CONNECTION)
		acknowledge(ward->fds[WARD_TALK],
			    note_connection(state, ward, msg.connection));
}

static bool hear_program(struct guardian_state *state)
{
	struct guardian_message msg;
	int fds[WARD_FDS];

	if (!receive(state->cfg->sock, &msg, fds))
		return false;
	if (msg.request == GUARDIAN_WATCH)
		hear_watch(state, &msg, fds);
	if (msg.request == GUARDIAN_QUIT) {
		state->program_leaving = true;
		state->program_gone = true;
	}
	return true;
}

enum { POLL_SOCK, POLL_PROGRAM, POLL_WARDS };
enum { POLL_SENTINEL, POLL_TESTER, POLL_PARENT, POLL_TALK, POLLS_PER_WARD };

static void poll_ward(struct pollfd *pfd, const struct guarded *ward)
{
	const int fds[POLLS_PER_WARD] = {
		[POLL_SENTINEL] = ward->ended,
		[POLL_TESTER] = ward->fds[WARD_TESTER],
		[POLL_PARENT] = ward->fds[WARD_PARENT],
		[POLL_TALK] = ward->fds[WARD_TALK],
	};
	unsigned int i;

	for (i = 0; i < POLLS_PER_WARD; i++) {
		bool wanted = ward->state == WARD_WATCHED ||
			      (ward->state == WARD_RELEASED && i == POLL_SENTINEL);

		pfd[i] = (struct pollfd){ .fd = wanted ? fds[i] : -1, .events = POLLIN };
	}
}

static void serve_ward(struct guardian_state *state, struct guarded *ward,
		       const struct pollfd *pfd)
{
	/* A request comes first: a release and the end of the tester may come together. */
	if (pfd[POLL_TALK].revents & POLLIN)
		hear_ward(state, ward);
	if (ward->state == WARD_RELEASED && pfd[POLL_SENTINEL].revents)
		free_ward(ward);
	if (ward->state == WARD_WATCHED &&
	    (pfd[POLL_SENTINEL].revents || pfd[POLL_TESTER].revents ||
	     pfd[POLL_PARENT].revents || state->program_gone))
		begin_dying(state, ward);
	if (ward->state == WARD_DYING)
		sweep(state, ward);
}

static bool has_wards(const struct guardian_state *state, enum ward_state which)
{
	unsigned int i;

	for (i = 0; i < GUARDIAN_WARDS; i++)
		if (state->wards[i].state == which)
			return true;
	return false;
}

static int wait_events(struct guardian_state *state, struct pollfd *pfds, nfds_t count)
{
	unsigned int i;
	int timeout = -1;

	pfds[POLL_SOCK] = (struct pollfd){ .fd = state->cfg->sock, .events = POLLIN };
	pfds[POLL_PROGRAM] = (struct pollfd){
		.fd = state->program_gone ? -1 : state->cfg->program_pidfd,
		.events = POLLIN,
	};
	for (i = 0; i < GUARDIAN_WARDS; i++)
		poll_ward(pfds + POLL_WARDS + POLLS_PER_WARD * i, &state->wards[i]);
	if (has_wards(state, WARD_DYING))
		timeout = DYING_TICK_MS;
	else if (state->program_gone)
		timeout = 0;
	return poll(pfds, count, timeout);
}

/* Returns false when there is nothing left to guard, and nobody who could ask for it. */
static bool guard_once(struct guardian_state *state)
{
	struct pollfd pfds[POLL_WARDS + POLLS_PER_WARD * GUARDIAN_WARDS];
	unsigned int i;
	bool heard;

	if (wait_events(state, pfds, POLL_WARDS + POLLS_PER_WARD * GUARDIAN_WARDS) < 0)
		return errno == EINTR;
	if (pfds[POLL_PROGRAM].revents)
		state->program_gone = true;
	for (i = 0; i < GUARDIAN_WARDS; i++)
		serve_ward(state, &state->wards[i], pfds + POLL_WARDS + POLLS_PER_WARD * i);
	heard = pfds[POLL_SOCK].revents & POLLIN && hear_program(state);
	return heard || !state->program_gone || has_wards(state, WARD_WATCHED) ||
	       has_wards(state, WARD_DYING) || has_wards(state, WARD_RELEASED);
}

void guardian_process(const struct guardian_config *cfg)
{
	static struct guardian_state state;

	state.cfg = cfg;
	while (guard_once(&state))
		;
}
