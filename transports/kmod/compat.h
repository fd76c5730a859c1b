/* SPDX-License-Identifier: GPL-2.0 */
/* What differs between the kernels that the module is built for: 5.10 and later. */
#ifndef IPCBENCH_COMPAT_H
#define IPCBENCH_COMPAT_H

#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/proc_fs.h>
#include <linux/version.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#include <linux/hex.h> /* it was in kernel.h */
#endif

/* So that mprotect(2) can't make code of it. */
static inline void ipcbench_forbid_exec(struct vm_area_struct *vma)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_clear(vma, VM_MAYEXEC);
#else
	vma->vm_flags &= ~VM_MAYEXEC;
#endif
}

static inline void *ipcbench_proc_data(const struct inode *inode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 17, 0)
	return pde_data(inode);
#else
	return PDE_DATA(inode);
#endif
}

#endif
