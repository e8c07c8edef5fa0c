using System.Runtime.InteropServices;

namespace Agnes.Engine.Limits.Walls;

/// <param name="X64">-1 where the processor has no such call.</param>
/// <param name="Arm64">The same.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Call(string Name, int X64, int Arm64);

/// <summary>
/// Calls by what they are good for. The list is of what is refused, and it has an end: every call up to <see cref="LastReviewed"/> was looked at, and one that
/// is newer does not exist for a child. So what the kernel learns in the future is closed until somebody has looked.
/// </summary>
internal static class SyscallList
{
    /// <summary><c>mseal</c>, Linux 6.10. Both processors number alike from 424 on.</summary>
    public const uint LastReviewed = 462;

    public static readonly Call Clone = new("clone", 56, 220);
    public static readonly Call Clone3 = new("clone3", 435, 435);
    public static readonly Call Socket = new("socket", 41, 198);
    public static readonly Call SetPriority = new("setpriority", 141, 140);

    /// <summary>Of these two, the requests by which a file sends signals to another process: F_SETOWN, F_SETSIG, F_SETOWN_EX; FIOSETOWN, SIOCSPGRP.</summary>
    public static readonly (Call Call, uint[] Requests)[] FilesThatSignal = [(new("fcntl", 72, 25), [8, 10, 15]), (new("ioctl", 16, 29), [0x8901, 0x8902])];

    /// <summary>The runtime asks each new thread's processors for itself; limits are asked for likewise.</summary>
    public static readonly Call[] OfItself = [new("sched_setaffinity", 203, 122), new("prlimit64", 302, 261)];

    /// <summary>Signals: to this process only.</summary>
    public static readonly Call[] Signals = [new("kill", 62, 129), new("tgkill", 234, 131), new("rt_sigqueueinfo", 129, 138), new("rt_tgsigqueueinfo", 297, 240)];

    /// <summary>Runs another program, or becomes one.</summary>
    public static readonly Call[] Programs = [new("execve", 59, 221), new("execveat", 322, 281), new("fork", 57, -1), new("vfork", 58, -1), new("uselib", 134, -1)];

    /// <summary>Reaches other machines and other processes of this one.</summary>
    public static readonly Call[] Sockets =
    [
        new("socketpair", 53, 199), new("connect", 42, 203), new("bind", 49, 200), new("listen", 50, 201), new("accept", 43, 202), new("accept4", 288, 242),
        new("sendto", 44, 206), new("sendmsg", 46, 211), new("sendmmsg", 307, 269),
    ];

    /// <summary>Of these, what a connector that makes connections has no use for either.</summary>
    public static readonly Call[] Servers = [new("listen", 50, 201), new("accept", 43, 202), new("accept4", 288, 242)];

    /// <summary>Looks into other processes, or disturbs them.</summary>
    public static readonly Call[] Processes =
    [
        new("ptrace", 101, 117), new("process_vm_readv", 310, 270), new("process_vm_writev", 311, 271), new("kcmp", 312, 272), new("pidfd_open", 434, 434),
        new("pidfd_getfd", 438, 438), new("pidfd_send_signal", 424, 424), new("process_madvise", 440, 440), new("process_mrelease", 448, 448), new("tkill", 200, 130),
        new("move_pages", 279, 239), new("migrate_pages", 256, 238), new("sched_setparam", 142, 118), new("sched_setscheduler", 144, 119),
        new("sched_setattr", 314, 274), new("ioprio_set", 251, 30), new("setpgid", 109, 154), new("perf_event_open", 298, 241),
    ];

    /// <summary>Parts of the kernel with a long history of faults, that neither the runtime nor the engine uses.</summary>
    public static readonly Call[] Kernel =
    [
        new("bpf", 321, 280), new("userfaultfd", 323, 282), new("io_uring_setup", 425, 425), new("io_uring_enter", 426, 426), new("io_uring_register", 427, 427),
        new("add_key", 248, 217), new("request_key", 249, 218), new("keyctl", 250, 219), new("memfd_secret", 447, 447), new("lookup_dcookie", 212, 18),
        new("personality", 135, 92), new("modify_ldt", 154, -1), new("iopl", 172, -1), new("ioperm", 173, -1), new("remap_file_pages", 216, 234), new("vhangup", 153, 58),
        new("init_module", 175, 105), new("finit_module", 313, 273), new("delete_module", 176, 106), new("kexec_load", 246, 104), new("kexec_file_load", 320, 294),
        new("reboot", 169, 142), new("swapon", 167, 224), new("swapoff", 168, 225), new("acct", 163, 89), new("syslog", 103, 116), new("quotactl", 179, 60),
        new("quotactl_fd", 443, 443), new("nfsservctl", 180, 42), new("sysfs", 139, -1), new("ustat", 136, -1), new("_sysctl", 156, -1), new("create_module", 174, -1),
        new("get_kernel_syms", 177, -1), new("query_module", 178, -1), new("settimeofday", 164, 170), new("clock_settime", 227, 112), new("adjtimex", 159, 171),
        new("clock_adjtime", 305, 266), new("sethostname", 170, 161), new("setdomainname", 171, 162),
    ];

    /// <summary>Changes what paths mean, or goes past them.</summary>
    public static readonly Call[] Paths =
    [
        new("mount", 165, 40), new("umount2", 166, 39), new("pivot_root", 155, 41), new("chroot", 161, 51), new("open_tree", 428, 428), new("move_mount", 429, 429),
        new("fsopen", 430, 430), new("fsconfig", 431, 431), new("fsmount", 432, 432), new("fspick", 433, 433), new("mount_setattr", 442, 442), new("statmount", 457, 457),
        new("listmount", 458, 458), new("unshare", 272, 97), new("setns", 308, 268), new("name_to_handle_at", 303, 264), new("open_by_handle_at", 304, 265),
        new("mknod", 133, -1), new("mknodat", 259, 33), new("fanotify_init", 300, 262), new("fanotify_mark", 301, 263), new("inotify_init", 253, -1),
        new("inotify_init1", 294, 26), new("inotify_add_watch", 254, 27),
    ];

    /// <summary>Becomes another user, or takes rights back.</summary>
    public static readonly Call[] Users =
    [
        new("setuid", 105, 146), new("setgid", 106, 144), new("setreuid", 113, 145), new("setregid", 114, 143), new("setgroups", 116, 159), new("setresuid", 117, 147),
        new("setresgid", 119, 149), new("setfsuid", 122, 151), new("setfsgid", 123, 152), new("capset", 126, 91), new("chown", 92, -1), new("fchown", 93, 55),
        new("lchown", 94, -1), new("fchownat", 260, 54),
    ];

    /// <summary>Memory and queues that other processes have names for.</summary>
    public static readonly Call[] Shared =
    [
        new("shmget", 29, 194), new("shmat", 30, 196), new("shmctl", 31, 195), new("shmdt", 67, 197), new("semget", 64, 190), new("semop", 65, 193), new("semctl", 66, 191),
        new("semtimedop", 220, 192), new("msgget", 68, 186), new("msgsnd", 69, 189), new("msgrcv", 70, 188), new("msgctl", 71, 187), new("mq_open", 240, 180),
        new("mq_unlink", 241, 181), new("mq_timedsend", 242, 182), new("mq_timedreceive", 243, 183), new("mq_notify", 244, 184), new("mq_getsetattr", 245, 185),
    ];

    /// <summary>Rights and times of files, which Landlock does not guard; a child that writes in the data folders needs them.</summary>
    public static readonly Call[] Modes =
    [
        new("chmod", 90, -1), new("fchmod", 91, 52), new("fchmodat", 268, 53), new("fchmodat2", 452, 452), new("utime", 132, -1), new("utimes", 235, -1),
        new("futimesat", 261, -1), new("utimensat", 280, 88), new("setxattr", 188, 5), new("lsetxattr", 189, 6), new("fsetxattr", 190, 7), new("removexattr", 197, 14),
        new("lremovexattr", 198, 15), new("fremovexattr", 199, 16),
    ];
}
