// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that the module allocates and processes map, and how they wait for
 * each other there: by a word, as in futex(2), or by a bell that read, write
 * and poll know. What stands in the memory is theirs alone: the module looks
 * at nothing in it but what it is pointed to, and believes nothing of it.
 */
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "ipcbench.h"

int ipcbench_ring_init(struct ipcbench_channel *channel)
{
	struct ipcbench_ring *ring = &channel->ring;
	int error;

	ring->size = PAGE_ALIGN(channel->size_max);
	error = ipcbench_charge(channel, ring->size);
	if (error)
		return error;
	ring->memory = vmalloc_user(ring->size);
	return ring->memory ? 0 : -ENOMEM;
}

void ipcbench_ring_free(struct ipcbench_channel *channel)
{
	vfree(channel->ring.memory);
}

int ipcbench_ring_mmap(struct ipcbench_channel *channel, struct vm_area_struct *vma)
{
	if (channel->kind != IPCBENCH_RING)
		return -ENODEV;
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EPERM;
	ipcbench_forbid_exec(vma);
	/* It refuses what lies beyond the memory, and forbids to grow. */
	return remap_vmalloc_range(vma, channel->ring.memory, vma->vm_pgoff);
}

/* Waits until this side's bell has rung, and tells how often it did. */
ssize_t ipcbench_bell_take(struct ipcbench_session *session, u32 __user *count, size_t size,
			   bool nonblock)
{
	struct ipcbench_channel *channel = session->channel;
	struct ipcbench_bell *bell;
	u32 rung;

	if (session->side > IPCBENCH_CONSUMER)
		return -EBADF;
	if (size != sizeof(*count))
		return -EINVAL;
	bell = &channel->ring.bells[session->side];
	while (!(rung = atomic_xchg(&bell->rung, 0))) {
		if (ipcbench_is_alone(channel, session->side))
			return 0;
		if (nonblock)
			return -EAGAIN;
		if (wait_event_interruptible(bell->wait, atomic_read(&bell->rung) ||
					     ipcbench_is_alone(channel, session->side)))
			return -ERESTARTSYS;
	}
	if (put_user(rung, count)) {
		atomic_add(rung, &bell->rung);
		return -EFAULT;
	}
	return sizeof(*count);
}

/* Rings the other side's bell; how often is what is written. */
ssize_t ipcbench_bell_ring(struct ipcbench_session *session, const u32 __user *count, size_t size)
{
	struct ipcbench_channel *channel = session->channel;
	struct ipcbench_bell *bell;
	u32 times;

	if (session->side > IPCBENCH_CONSUMER)
		return -EBADF;
	if (size != sizeof(*count))
		return -EINVAL;
	if (get_user(times, count))
		return -EFAULT;
	if (ipcbench_is_alone(channel, session->side))
		return -EPIPE;
	bell = &channel->ring.bells[ipcbench_other(session->side)];
	atomic_add(times, &bell->rung);
	/* Pairs with the one of who goes to sleep. */
	smp_mb__after_atomic();
	/* The barrier above makes this safe without the queue's lock. */
	if (waitqueue_active(&bell->wait))
		wake_up_interruptible_poll(&bell->wait, EPOLLIN | EPOLLRDNORM);
	return sizeof(*count);
}

__poll_t ipcbench_bell_poll(struct ipcbench_session *session, struct file *file, poll_table *wait)
{
	struct ipcbench_channel *channel = session->channel;
	struct ipcbench_bell *bell;
	__poll_t events = EPOLLOUT | EPOLLWRNORM;

	if (session->side > IPCBENCH_CONSUMER)
		return EPOLLERR;
	bell = &channel->ring.bells[session->side];
	poll_wait(file, &bell->wait, wait);
	/* As in wait_event: be seen in the queue before looking. */
	smp_mb();
	if (atomic_read(&bell->rung))
		events |= EPOLLIN | EPOLLRDNORM;
	if (ipcbench_is_alone(channel, session->side))
		events |= EPOLLHUP | EPOLLIN;
	return events;
}

static u32 *word_at(const struct ipcbench_channel *channel, const struct ipcbench_word *word)
{
	const struct ipcbench_ring *ring = &channel->ring;

	if (channel->kind != IPCBENCH_RING)
		return ERR_PTR(-EOPNOTSUPP);
	if (word->reserved || word->offset % sizeof(u32) || word->offset >= ring->size)
		return ERR_PTR(-EINVAL);
	return ring->memory + array_index_nospec(word->offset, ring->size);
}

/* Sleeps as long as a word is what is expected; -EAGAIN where it isn't. */
long ipcbench_wait(struct ipcbench_session *session, const struct ipcbench_word *word)
{
	struct ipcbench_channel *channel = session->channel;
	u32 *at = word_at(channel, word);
	DEFINE_WAIT(entry);
	long error = 0;

	if (IS_ERR(at))
		return PTR_ERR(at);
	/* One sleep: who is woken looks for itself, as after futex(2). */
	prepare_to_wait(&channel->ring.words, &entry, TASK_INTERRUPTIBLE);
	if (READ_ONCE(*at) != word->expected)
		error = -EAGAIN;
	else if (ipcbench_is_alone(channel, session->side))
		error = -EPIPE;
	else if (signal_pending(current))
		error = -ERESTARTSYS;
	else
		schedule();
	finish_wait(&channel->ring.words, &entry);
	if (!error && signal_pending(current))
		error = -ERESTARTSYS;
	return error;
}

/* Wakes all who wait for any word: they are two, and each looks at its own. */
long ipcbench_wake(struct ipcbench_session *session, const struct ipcbench_word *word)
{
	struct ipcbench_channel *channel = session->channel;
	u32 *at = word_at(channel, word);

	if (IS_ERR(at))
		return PTR_ERR(at);
	if (wq_has_sleeper(&channel->ring.words))
		wake_up_interruptible(&channel->ring.words);
	return 0;
}

/* The kernel's end of a ring: it reads a message there, and may answer it. */
long ipcbench_move(struct ipcbench_session *session, const struct ipcbench_move *move)
{
	struct ipcbench_channel *channel = session->channel;
	const struct ipcbench_ring *ring = &channel->ring;
	u64 size = ring->size;
	u64 from;
	u64 to;

	if (channel->kind != IPCBENCH_RING || channel->peer == IPCBENCH_PROCESS)
		return -EOPNOTSUPP;
	if (move->size > size || move->from > size - move->size)
		return -EINVAL;
	from = array_index_nospec(move->from, size + 1);
	if (move->to == IPCBENCH_NOWHERE) {
		ipcbench_sink(channel, ring->memory + from, move->size);
		return 0;
	}
	if (move->to > size - move->size)
		return -EINVAL;
	to = array_index_nospec(move->to, size + 1);
	memmove(ring->memory + to, ring->memory + from, move->size);
	return 0;
}
