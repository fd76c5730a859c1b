// SPDX-License-Identifier: GPL-2.0
/*
 * Queues of messages: what read, write, SEND, RECEIVE and CALL do, with
 * another process or with the kernel at the other end.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "ipcbench.h"

/* What a message takes in a queue: its size, then itself, to a multiple of 8. */
static u32 stride(u32 size)
{
	return sizeof(u64) + ALIGN(size, sizeof(u64));
}

int ipcbench_queue_init(struct ipcbench_channel *channel, struct ipcbench_queue *queue)
{
	u32 most = max_t(u32, 1, IPCBENCH_QUEUE_MAX / stride(channel->size_max));
	int error;

	channel->depth = clamp_t(u32, channel->depth, 1, most);
	queue->capacity = channel->depth * stride(channel->size_max);
	error = ipcbench_charge(channel, queue->capacity);
	if (error)
		return error;
	queue->data = kvzalloc(queue->capacity, GFP_KERNEL_ACCOUNT);
	return queue->data ? 0 : -ENOMEM;
}

void ipcbench_queue_free(struct ipcbench_queue *queue)
{
	kvfree(queue->data);
}

/* A queue ends anywhere in a message, which goes on at its start. */
static int copy_in(struct ipcbench_queue *queue, u32 at, const void __user *from, u32 size)
{
	u32 first = min(size, queue->capacity - at);

	if (copy_from_user(queue->data + at, from, first) ||
	    copy_from_user(queue->data, from + first, size - first))
		return -EFAULT;
	return 0;
}

static int copy_out(struct ipcbench_queue *queue, u32 at, void __user *to, u32 size)
{
	u32 first = min(size, queue->capacity - at);

	if (copy_to_user(to, queue->data + at, first) ||
	    copy_to_user(to + first, queue->data, size - first))
		return -EFAULT;
	return 0;
}

static u32 wrapped(const struct ipcbench_queue *queue, u32 at)
{
	return at >= queue->capacity ? at - queue->capacity : at;
}

static bool has_room(const struct ipcbench_queue *queue, u32 bytes)
{
	return queue->capacity - READ_ONCE(queue->used) >= bytes;
}

static void wake(wait_queue_head_t *waiting, __poll_t events)
{
	if (wq_has_sleeper(waiting))
		wake_up_interruptible_poll(waiting, events);
}

static ssize_t put(struct ipcbench_session *session, struct ipcbench_queue *queue,
		   const void __user *data, u32 size, bool nonblock)
{
	const struct ipcbench_channel *channel = session->channel;
	const u32 bytes = stride(size);
	int error;

	for (;;) {
		if (mutex_lock_interruptible(&queue->lock))
			return -ERESTARTSYS;
		if (ipcbench_is_alone(channel, session->side)) {
			mutex_unlock(&queue->lock);
			return -EPIPE;
		}
		if (has_room(queue, bytes))
			break;
		mutex_unlock(&queue->lock);
		if (nonblock)
			return -EAGAIN;
		if (wait_event_interruptible(queue->writable, has_room(queue, bytes) ||
					     ipcbench_is_alone(channel, session->side)))
			return -ERESTARTSYS;
	}
	error = copy_in(queue, wrapped(queue, queue->write_at + sizeof(u64)), data, size);
	if (!error) {
		*(u64 *)(queue->data + queue->write_at) = size;
		queue->write_at = wrapped(queue, queue->write_at + bytes);
		WRITE_ONCE(queue->used, queue->used + bytes);
	}
	mutex_unlock(&queue->lock);
	if (error)
		return error;
	wake(&queue->readable, EPOLLIN | EPOLLRDNORM);
	return size;
}

static ssize_t take(struct ipcbench_session *session, struct ipcbench_queue *queue,
		    void __user *data, size_t room, bool nonblock)
{
	const struct ipcbench_channel *channel = session->channel;
	ssize_t size;
	int error;

	for (;;) {
		if (mutex_lock_interruptible(&queue->lock))
			return -ERESTARTSYS;
		if (queue->used)
			break;
		mutex_unlock(&queue->lock);
		if (ipcbench_is_alone(channel, session->side) && !READ_ONCE(queue->used))
			return 0;
		if (nonblock)
			return -EAGAIN;
		if (wait_event_interruptible(queue->readable, READ_ONCE(queue->used) ||
					     ipcbench_is_alone(channel, session->side)))
			return -ERESTARTSYS;
	}
	size = *(u64 *)(queue->data + queue->read_at);
	error = size > room ? -EMSGSIZE :
		copy_out(queue, wrapped(queue, queue->read_at + sizeof(u64)), data, size);
	if (!error) {
		queue->read_at = wrapped(queue, queue->read_at + stride(size));
		WRITE_ONCE(queue->used, queue->used - stride(size));
	}
	mutex_unlock(&queue->lock);
	if (error)
		return error;
	wake(&queue->writable, EPOLLOUT | EPOLLWRNORM);
	return size;
}

/* The kernel reads a message, all of it. */
void ipcbench_sink(struct ipcbench_channel *channel, const void *data, size_t size)
{
	size_t left = size;
	u64 sum = 0;
	u64 word;

	for (; left >= sizeof(word); left -= sizeof(word), data += sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		sum += word;
	}
	word = 0;
	memcpy(&word, data, left);
	spin_lock(&channel->sunk_lock);
	channel->sunk.messages++;
	channel->sunk.bytes += size;
	channel->sunk.sum += sum + word;
	spin_unlock(&channel->sunk_lock);
}

static ssize_t sink(struct ipcbench_session *session, const void __user *data, size_t size)
{
	if (mutex_lock_interruptible(&session->lock))
		return -ERESTARTSYS;
	if (copy_from_user(session->scratch, data, size)) {
		mutex_unlock(&session->lock);
		return -EFAULT;
	}
	ipcbench_sink(session->channel, session->scratch, size);
	mutex_unlock(&session->lock);
	return size;
}

/* The kernel makes a message of the largest size. */
static ssize_t produce(struct ipcbench_session *session, void __user *data, size_t room)
{
	size_t size = session->channel->size_max;
	u64 word;
	size_t at;

	if (room < size)
		return -EMSGSIZE;
	if (mutex_lock_interruptible(&session->lock))
		return -ERESTARTSYS;
	word = session->next * IPCBENCH_SOURCE_STEP;
	for (at = 0; at + sizeof(word) <= size; at += sizeof(word))
		memcpy(session->scratch + at, &word, sizeof(word));
	memcpy(session->scratch + at, &word, size - at);
	if (copy_to_user(data, session->scratch, size)) {
		mutex_unlock(&session->lock);
		return -EFAULT;
	}
	session->next++;
	mutex_unlock(&session->lock);
	return size;
}

/*
 * Sends a message of 1 to size_max bytes. Where the kernel is an echo, it is
 * put straight into the queue that the sender reads.
 */
ssize_t ipcbench_send(struct ipcbench_session *session, const void __user *data, size_t size,
		      bool nonblock)
{
	struct ipcbench_channel *channel = session->channel;

	if (channel->kind != IPCBENCH_QUEUE && channel->kind != IPCBENCH_PROC)
		return -EOPNOTSUPP;
	if (session->side > IPCBENCH_CONSUMER ||
	    (channel->kind == IPCBENCH_PROC && session->side != IPCBENCH_PRODUCER))
		return -EBADF;
	if (size == 0)
		return -EINVAL;
	if (size > channel->size_max)
		return -EMSGSIZE;
	switch (channel->peer) {
	case IPCBENCH_SINK:
		return sink(session, data, size);
	case IPCBENCH_SOURCE:
		return -EOPNOTSUPP;
	case IPCBENCH_ECHO:
		return put(session, &channel->queues[ipcbench_other(session->side)], data, size,
			   nonblock);
	default:
		return put(session, &channel->queues[session->side], data, size, nonblock);
	}
}

/*
 * Receives a message: its size, or 0 when there is nobody left to send one. A
 * message that is larger than the buffer stays where it is.
 */
ssize_t ipcbench_receive(struct ipcbench_session *session, void __user *data, size_t size,
			 bool nonblock)
{
	struct ipcbench_channel *channel = session->channel;

	if (channel->kind != IPCBENCH_QUEUE && channel->kind != IPCBENCH_PROC)
		return -EOPNOTSUPP;
	if (session->side > IPCBENCH_CONSUMER ||
	    (channel->kind == IPCBENCH_PROC && session->side != IPCBENCH_CONSUMER))
		return -EBADF;
	switch (channel->peer) {
	case IPCBENCH_SINK:
		return -EOPNOTSUPP;
	case IPCBENCH_SOURCE:
		return produce(session, data, size);
	default:
		return take(session, &channel->queues[ipcbench_other(session->side)], data, size,
			    nonblock);
	}
}

__poll_t ipcbench_queue_poll(struct ipcbench_session *session, struct file *file,
			     poll_table *wait)
{
	struct ipcbench_channel *channel = session->channel;
	struct ipcbench_queue *in;
	struct ipcbench_queue *out;
	__poll_t events = 0;

	if (session->side > IPCBENCH_CONSUMER)
		return EPOLLERR;
	if (channel->peer == IPCBENCH_SINK)
		return EPOLLOUT | EPOLLWRNORM;
	if (channel->peer == IPCBENCH_SOURCE)
		return EPOLLIN | EPOLLRDNORM;
	in = &channel->queues[ipcbench_other(session->side)];
	out = channel->peer == IPCBENCH_ECHO ? in : &channel->queues[session->side];
	poll_wait(file, &in->readable, wait);
	poll_wait(file, &out->writable, wait);
	/* As in wait_event: be seen in the queues before looking. */
	smp_mb();
	if (ipcbench_is_alone(channel, session->side))
		events |= EPOLLHUP | EPOLLIN | EPOLLOUT;
	if (READ_ONCE(in->used))
		events |= EPOLLIN | EPOLLRDNORM;
	/* Writable: there is room for any message. */
	if (out->data && has_room(out, stride(channel->size_max)))
		events |= EPOLLOUT | EPOLLWRNORM;
	return events;
}

/* The kernel answers a request with the same bytes. */
long ipcbench_call(struct ipcbench_session *session, struct ipcbench_call __user *user)
{
	struct ipcbench_channel *channel = session->channel;
	struct ipcbench_call call;
	long error = 0;

	if (copy_from_user(&call, user, sizeof(call)))
		return -EFAULT;
	if (channel->kind != IPCBENCH_QUEUE || channel->peer != IPCBENCH_ECHO)
		return -EOPNOTSUPP;
	if (call.request_size == 0)
		return -EINVAL;
	if (call.request_size > channel->size_max || call.request_size > call.reply_size)
		return -EMSGSIZE;
	if (mutex_lock_interruptible(&session->lock))
		return -ERESTARTSYS;
	if (copy_from_user(session->scratch, u64_to_user_ptr(call.request), call.request_size) ||
	    copy_to_user(u64_to_user_ptr(call.reply), session->scratch, call.request_size) ||
	    put_user(call.request_size, &user->reply_size))
		error = -EFAULT;
	mutex_unlock(&session->lock);
	return error;
}
