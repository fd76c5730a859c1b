// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel starts for each message of kmod_umh: it puts the message
 * into the queue of the user whom it belongs to, with no more rights than that
 * user has.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ipcbench_uapi.h"

static unsigned int digit(char c)
{
	return (unsigned int)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* Waits for room as long as there is somebody who wants it sent. */
static int deliver(int device, const char *message, size_t size, pid_t caller)
{
	struct pollfd room = { .fd = device, .events = POLLOUT };
	ssize_t sent;

	while ((sent = write(device, message, size)) == -1 && errno == EAGAIN)
		if (poll(&room, 1, 200) == 0 && kill(caller, 0) && errno == ESRCH)
			return 1;
	return sent == (ssize_t)size ? 0 : 1;
}

/* UID NAME ID CALLER SIZE_MAX MESSAGE, the message in hexadecimal. */
int main(int count, char **words)
{
	static char message[IPCBENCH_HELP_MAX];
	struct ipcbench_attach wish = {
		.abi = IPCBENCH_ABI,
		.kind = IPCBENCH_QUEUE,
		.side = IPCBENCH_PRODUCER,
		.peer = IPCBENCH_PROCESS,
		.fd = -1,
		.depth = 1,
	};
	size_t size;
	size_t i;
	uid_t uid;
	pid_t caller;
	int device;

	if (count != 7)
		return 2;
	uid = (uid_t)strtoul(words[1], NULL, 10);
	strncpy(wish.name, words[2], sizeof(wish.name) - 1);
	wish.id = (__u32)strtoul(words[3], NULL, 10);
	caller = (pid_t)strtol(words[4], NULL, 10);
	wish.size_max = strtoull(words[5], NULL, 10);
	size = strlen(words[6]) / 2;
	if (size > sizeof(message))
		return 2;
	for (i = 0; i < size; i++)
		message[i] = (char)(digit(words[6][2 * i]) << 4 | digit(words[6][2 * i + 1]));

	device = open(IPCBENCH_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (device == -1 || setgroups(0, NULL) || setresgid(65534, 65534, 65534) ||
	    setresuid(uid, uid, uid) || ioctl(device, IPCBENCH_IOC_ATTACH, &wish))
		return 1;
	return deliver(device, message, size, caller);
}
