/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which operations are the kernel's lockdown reasons, by their names: the
 * numbers shift between kernels.  Templates and the loader read it.
 *
 * REASON(protection, operation, name)
 *	What the kernel asks about as LOCKDOWN_name is that operation.  A reason
 *	may be several protections'.
 *
 * RENAMED(protection, operation, name, former)
 *	The same, where older kernels have LOCKDOWN_former instead.
 *
 * XEN_USER_ACTIONS is no operation: what Xen's own tools ask of the hypervisor
 * is nothing that a protection here is about.
 */
#pragma once

#define LOCKDOWN_REASONS(REASON, RENAMED)                                   \
	REASON(kernel_image, unsigned_module, MODULE_SIGNATURE)             \
	REASON(kernel_image, dev_mem, DEV_MEM)                              \
	REASON(kernel_image, efi_test, EFI_TEST)                            \
	REASON(kernel_image, kexec, KEXEC)                                  \
	REASON(kernel_image, hibernation, HIBERNATION)                      \
	REASON(kernel_image, pci_access, PCI_ACCESS)                        \
	REASON(kernel_image, ioport, IOPORT)                                \
	REASON(kernel_image, msr, MSR)                                      \
	REASON(kernel_image, acpi_tables, ACPI_TABLES)                      \
	REASON(kernel_image, device_tree, DEVICE_TREE)                      \
	REASON(kernel_image, pcmcia_cis, PCMCIA_CIS)                        \
	REASON(kernel_image, tiocsserial, TIOCSSERIAL)                      \
	REASON(kernel_image, unsafe_module_parameters, MODULE_PARAMETERS)   \
	REASON(kernel_image, mmiotrace, MMIOTRACE)                          \
	REASON(kernel_image, debugfs, DEBUGFS)                              \
	REASON(kernel_image, xmon_wr, XMON_WR)                              \
	REASON(kernel_image, bpf_write, BPF_WRITE_USER)                     \
	REASON(kernel_image, dbg_write_kernel, DBG_WRITE_KERNEL)            \
	REASON(kernel_image, rtas_error_injection, RTAS_ERROR_INJECTION)    \
	REASON(kernel_secrets, kcore, KCORE)                                \
	REASON(kernel_secrets, kprobes, KPROBES)                            \
	RENAMED(kernel_secrets, bpf_read, BPF_READ_KERNEL, BPF_READ)        \
	REASON(kernel_secrets, dbg_read_kernel, DBG_READ_KERNEL)            \
	REASON(kernel_secrets, perf, PERF)                                  \
	REASON(kernel_secrets, tracefs, TRACEFS)                            \
	REASON(kernel_secrets, xmon_rw, XMON_RW)                            \
	REASON(kernel_secrets, xfrm_secret, XFRM_SECRET)                    \
	REASON(kernel_modules, unsigned_module, MODULE_SIGNATURE)           \
	REASON(kernel_modules, unsafe_module_parameters, MODULE_PARAMETERS) \
	REASON(bpf, bpf_write, BPF_WRITE_USER)
