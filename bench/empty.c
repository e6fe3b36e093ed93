// SPDX-License-Identifier: LGPL-2.1-or-later
// Nothing, linked with libsystemd: what every program pays that is.
int main(void) {
  return 0;
}
