// SPDX-License-Identifier: GPL-2.0
/*
 * Signals from the module: a process asks for one, and the other side has it
 * sent, with a value. Nobody gets a signal that it hasn't asked for.
 */
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "ipcbench.h"

/* glibc keeps the first two real-time signals. */
#define SIGNAL_MIN 34

static void set_target(struct ipcbench_channel *channel, u32 side, struct pid *pid, int signal)
{
	struct pid *before;

	spin_lock(&channel->target_lock);
	before = channel->targets[side].pid;
	channel->targets[side].pid = pid;
	channel->targets[side].signal = signal;
	spin_unlock(&channel->target_lock);
	put_pid(before);
}

void ipcbench_signal_forget(struct ipcbench_channel *channel, u32 side)
{
	set_target(channel, side, NULL, 0);
}

/* Signals to this side go to the calling process. */
long ipcbench_signal_me(struct ipcbench_session *session, u32 signal)
{
	struct ipcbench_channel *channel = session->channel;

	if (channel->kind != IPCBENCH_SIGNAL)
		return -EOPNOTSUPP;
	if (session->side > IPCBENCH_CONSUMER)
		return -EBADF;
	if (signal < SIGNAL_MIN || signal > SIGRTMAX)
		return -EINVAL;
	set_target(channel, session->side, get_pid(task_tgid(current)), signal);
	wake_up_interruptible(&channel->targeted);
	return 0;
}

static struct pid *target_of(struct ipcbench_channel *channel, u32 side, int *signal)
{
	struct pid *pid;

	spin_lock(&channel->target_lock);
	pid = get_pid(channel->targets[side].pid);
	*signal = channel->targets[side].signal;
	spin_unlock(&channel->target_lock);
	return pid;
}

/*
 * Sends the other side its signal; waits until it has asked for one. -EAGAIN
 * where its queue of signals is full.
 */
long ipcbench_signal(struct ipcbench_session *session, const struct ipcbench_signal *what,
		     bool nonblock)
{
	struct ipcbench_channel *channel = session->channel;
	u32 other = ipcbench_other(session->side);
	struct kernel_siginfo info;
	struct task_struct *task;
	struct pid *pid;
	long error;
	int signal;

	if (channel->kind != IPCBENCH_SIGNAL)
		return -EOPNOTSUPP;
	if (session->side > IPCBENCH_CONSUMER)
		return -EBADF;
	if (what->reserved)
		return -EINVAL;
	while (!(pid = target_of(channel, other, &signal))) {
		if (ipcbench_is_alone(channel, session->side))
			return -EPIPE;
		if (nonblock)
			return -EAGAIN;
		if (wait_event_interruptible(channel->targeted,
					     READ_ONCE(channel->targets[other].pid) ||
					     ipcbench_is_alone(channel, session->side)))
			return -ERESTARTSYS;
	}
	clear_siginfo(&info);
	info.si_signo = signal;
	info.si_code = SI_QUEUE;
	info.si_errno = what->number;
	info.si_ptr = u64_to_user_ptr(what->value);
	task = get_pid_task(pid, PIDTYPE_TGID);
	put_pid(pid);
	if (!task)
		return -EPIPE;
	error = send_sig_info(signal, &info, task);
	put_task_struct(task);
	return error;
}
