// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <unistd.h>

#include "model.h"

const char *finding_name(enum finding_kind kind)
{
	static const char *const names[] = {
		[FOUND_NOTHING] = "nothing", [FOUND_BYTES] = "wrong bytes",
		[FOUND_RESULT] = "wrong result", [FOUND_ATTRIBUTES] = "wrong attributes",
		[FOUND_HANG] = "hang", [FOUND_DEATH] = "death of the process",
		[FOUND_TROUBLE] = "trouble", [FOUND_UNSUPPORTED] = "unsupported",
	};

	return names[kind];
}

void model_reset(struct model *m, unsigned int attr_timeout)
{
	oracle_reset(&m->oracle);
	memset(m->views, 0, sizeof(m->views));
	memset(m->files, 0, sizeof(m->files));
	memset(&m->times, 0, sizeof(m->times));
	m->lost_below = false;
	memset(m->alive, 0, sizeof(m->alive));
	m->alive[SELF] = true;
	m->alive[OTHER] = true;
	m->page = sysconf(_SC_PAGESIZE);
	m->attr_timeout = attr_timeout;
}

/* --- views ---------------------------------------------------------------- */

struct open_file *model_file(struct model *m, enum actor_id who, enum view_id view)
{
	return &m->files[m->views[who][view].file];
}

void model_open(struct model *m, enum actor_id who, enum view_id view, enum server_mode mode,
		uint32_t off, uint32_t len)
{
	const struct view_spec *spec = &view_specs[view];
	struct model_view *v = &m->views[who][view];
	unsigned int i = 0;

	while (m->files[i].refs)
		i++;
	m->files[i] = (struct open_file) {
		.refs = 1, .opened = spec->open_flags, .flags = spec->open_flags, .mode = mode,
		.fuse = spec->side == VIEW_FUSE,
	};
	*v = (struct model_view) {
		.open = true, .has_fd = true, .file = i, .off = off, .len = len,
	};
	if (spec->map_flags & MAP_PRIVATE)
		memset(m->private[who].copied, 0, sizeof(m->private[who].copied));
}

void model_close_fd(struct model *m, enum actor_id who, enum view_id view)
{
	struct model_view *v = &m->views[who][view];

	if (v->has_fd)
		m->files[v->file].refs--;
	v->has_fd = false;
	if (m->times.owed_by & VIEW_BIT(view))
		model_due(m, TRACE_ROOM, 0);
}

void model_close(struct model *m, enum actor_id who, enum view_id view)
{
	model_close_fd(m, who, view);
	m->views[who][view].open = false;
}

void model_fork(struct model *m)
{
	int view;

	memcpy(m->views[CHILD], m->views[SELF], sizeof(m->views[CHILD]));
	m->private[CHILD] = m->private[SELF];
	m->alive[CHILD] = true;
	for (view = 0; view < NR_VIEW_SPECS; view++)
		if (m->views[CHILD][view].has_fd)
			m->files[m->views[CHILD][view].file].refs++;
}

void model_end(struct model *m)
{
	int view;

	for (view = 0; view < NR_VIEW_SPECS; view++)
		if (m->views[CHILD][view].open)
			model_close(m, CHILD, view);
	m->alive[CHILD] = false;
}

bool model_has_mode(const struct model *m, unsigned int modes)
{
	int i;

	for (i = 0; i < MAX_OPEN_FILES; i++)
		if (m->files[i].refs && m->files[i].fuse && modes & (1U << m->files[i].mode))
			return true;
	return false;
}

bool model_has_passthrough_map(const struct model *m)
{
	int who, view;

	for (who = 0; who < NR_ACTORS; who++)
		for (view = 0; view < NR_VIEW_SPECS; view++)
			if (m->views[who][view].open && view_specs[view].prot &&
			    view_specs[view].side == VIEW_FUSE)
				return true;
	return false;
}

/* --- effects -------------------------------------------------------------- */

void model_taint_cached(struct model *m)
{
	int who;

	for (who = 0; who < NR_ACTORS; who++)
		m->views[who][FC].tainted = true;
}

/* By design a cache is not told what happens beside it; but beside a mapping it must be. */
static void taint_unless_promised(struct model *m)
{
	int who;

	for (who = 0; who < NR_ACTORS; who++)
		if (!model_file(m, who, FC)->beside_map)
			m->views[who][FC].tainted = true;
}

/* Times moved through @view, or on behalf of it. */
static void touched(struct model *m, enum view_id view, bool must)
{
	struct model_times *t = &m->times;

	t->may_move = true;
	t->must_move |= must;
	t->clean = false;
	if (view_specs[view].side == VIEW_BACKING)
		t->beside = true;
	if (view != FC)
		taint_unless_promised(m);
}

static void stored(struct model *m, enum view_id view, size_t len, off_t off)
{
	struct model_times *t = &m->times;

	t->promised |= t->clean;
	touched(m, view, false);
	if (view_specs[view].side == VIEW_BACKING)
		return;
	t->owed_from = t->owed ? MIN(t->owed_from, off) : off;
	t->owed_to = t->owed ? MAX(t->owed_to, off + len) : off + len;
	t->owed_by = t->owed ? t->owed_by | VIEW_BIT(view) : VIEW_BIT(view);
	t->owed = true;
}

void model_wrote(struct model *m, enum actor_id who, enum view_id view, const char *action,
		 size_t len, off_t off)
{
	if (view_specs[view].side == VIEW_BACKING && off + (off_t)len > m->oracle.size)
		m->times.size_beside = true;
	oracle_wrote(&m->oracle, actor_names[who], view_specs[view].name, action, len, off);
	if (view_specs[view].prot)
		stored(m, view, len, off);
	else
		touched(m, view, true);
}

/* The first store to a page copies all of it. */
void model_stored_privately(struct model *m, enum actor_id who, const void *bytes, size_t len,
			    off_t off)
{
	struct private_pages *p = &m->private[who];
	off_t at;

	for (at = off / m->page * m->page; at < off + (off_t)len; at += m->page) {
		if (p->copied[at / m->page])
			continue;
		memcpy(p->bytes + at, m->oracle.bytes + at, m->page);
		p->copied[at / m->page] = true;
	}
	memcpy(p->bytes + off, bytes, len);
}

/* Truncation takes copied pages away too (mmap(2): SIGBUS), holes do not. */
static void forget_copies(struct model *m, enum actor_id who, off_t from, off_t to)
{
	for (; from < to; from += m->page)
		m->private[who].copied[from / m->page] = false;
}

static void resized(struct model *m, enum view_id view, off_t size)
{
	off_t end = model_page_up(m, size);
	int who;

	if (view_specs[view].side == VIEW_BACKING && size != m->oracle.size)
		m->times.size_beside = true;
	if (size < m->oracle.size)
		for (who = 0; who < NR_ACTORS; who++)
			forget_copies(m, who, end, TRACE_ROOM);
	oracle_resize(&m->oracle, size);
}

static void flushed(struct model *m, const struct control *c, size_t len, off_t off)
{
	/* fsync(2) is about the whole file. */
	if (c->needs & ACTION_ON_FD) {
		off = 0;
		len = TRACE_ROOM;
	}
	model_due(m, len, off);
	if (c->flush == CONTROL_FLUSHES && !off && (off_t)len >= m->oracle.size)
		m->times.clean = true;
}

void model_controlled(struct model *m, enum actor_id who, enum view_id view,
		      const struct control *c, size_t len, off_t off)
{
	struct open_file *file = model_file(m, who, view);
	off_t end = off + len;

	switch (c->effect) {
	case CONTROL_KEEPS:
	case CONTROL_RESERVES:
		break;
	case CONTROL_RESIZES:
		resized(m, view, off);
		break;
	case CONTROL_ZEROES:
		oracle_hole(&m->oracle, len, off);
		break;
	case CONTROL_ZEROES_ALLOCATES:
		oracle_hole(&m->oracle, len, off);
		__attribute__((fallthrough));
	case CONTROL_ALLOCATES:
		if (end > m->oracle.size)
			resized(m, view, end);
		break;
	case CONTROL_FORGETS:
		if (view_specs[view].map_flags & MAP_PRIVATE)
			forget_copies(m, who, off, end);
		break;
	case CONTROL_SETS_FLAG:
		file->flags |= c->flag;
		break;
	case CONTROL_CLEARS_FLAG:
		file->flags &= ~c->flag;
		break;
	}
	if (c->effect >= CONTROL_RESIZES && c->effect <= CONTROL_ZEROES_ALLOCATES)
		/* POSIX ftruncate(): the times are marked, even if the size stays. */
		touched(m, view, c->effect == CONTROL_RESIZES);
	/* madvise(MADV_REMOVE) passes FUSE by, as do stores. */
	if (c->effect == CONTROL_ZEROES && c->needs & ACTION_ON_MAP)
		m->times.beside = true;
	if (c->effect == CONTROL_RESERVES)
		m->times.may_move = true;
	if (c->effect == CONTROL_RESERVES && view_specs[view].side == VIEW_BACKING)
		m->times.beside = true;
	if (c->flush)
		flushed(m, c, len, off);
}

void model_due(struct model *m, size_t len, off_t off)
{
	struct model_times *t = &m->times;

	if (t->owed && off <= t->owed_from && off + (off_t)len >= t->owed_to)
		t->due = true;
	if (!off && (off_t)len >= m->oracle.size)
		t->must_move |= t->promised;
}

void model_set_times(struct model *m, enum view_side side, const struct timespec *change)
{
	struct model_times *t = &m->times;

	t->change = *change;
	t->may_move = false;
	t->must_move = false;
	t->promised = false;
	t->owed = false;
	t->due = false;
	if (side == VIEW_BACKING)
		t->beside = true;
}
