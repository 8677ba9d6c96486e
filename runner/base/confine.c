#include "runner/base/confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "runner/base/memory.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER 0
#endif

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#define NUMBERS_END 0x40000000 /* x32's begin here: the same calls by other numbers */
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#define NUMBERS_END 0x7FFFFFFF
#else
#define NATIVE_ARCH 0 /* not tried: no filter */
#define NUMBERS_END 0
#endif

#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define REFUSE BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
/* The next instruction, unless it is this number. */
#define REFUSE_CALL(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), REFUSE

bool confine_to_itself(void)
{
	struct sock_filter filter[] = {
	        LOAD(arch),
	        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0),
	        REFUSE,
	        LOAD(nr),
	        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, NUMBERS_END, 0, 1),
	        REFUSE,
	        REFUSE_CALL(SYS_execve),
	        REFUSE_CALL(SYS_execveat),
	        REFUSE_CALL(SYS_ptrace),
	        REFUSE_CALL(SYS_process_vm_readv),
	        REFUSE_CALL(SYS_process_vm_writev),
	        REFUSE_CALL(SYS_mount),
	        REFUSE_CALL(SYS_umount2),
	        REFUSE_CALL(SYS_pivot_root),
	        REFUSE_CALL(SYS_chroot),
	        REFUSE_CALL(SYS_setns),
	        REFUSE_CALL(SYS_unshare),
	        REFUSE_CALL(SYS_bpf),
	        REFUSE_CALL(SYS_perf_event_open),
	        REFUSE_CALL(SYS_userfaultfd),
	        REFUSE_CALL(SYS_init_module),
	        REFUSE_CALL(SYS_finit_module),
	        REFUSE_CALL(SYS_delete_module),
	        REFUSE_CALL(SYS_kexec_load),
	        REFUSE_CALL(SYS_add_key),
	        REFUSE_CALL(SYS_keyctl),
	        REFUSE_CALL(SYS_io_uring_setup),
	        REFUSE_CALL(SYS_io_uring_enter),
	        REFUSE_CALL(SYS_io_uring_register),
	        ALLOW,
	};
	const struct sock_fprog program = {.len = GR_COUNT(filter), .filter = filter};

	if (NATIVE_ARCH == 0 || HAS_SANITIZER) {
		errno = ENOTSUP;
		return false;
	}
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}
