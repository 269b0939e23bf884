/* SPDX-License-Identifier: GPL-2.0-only */
/* What no program uses any more. */
#pragma once

struct image;

/*
 * Takes away the maps, the boot facts and the names of the kernel's that no
 * relocation of @image leads to, and the symbols of what is gone.  The
 * policies' words stay, for audit.
 */
void prune_image(struct image *image);
