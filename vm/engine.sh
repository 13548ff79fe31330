# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # the other parts use what is set here
#
# What runs the kernel. Sets ENGINE (kvm, tcg, uml, vng) and ENGINE_NAME. An engine is
# a function ENGINE_command that fills GUEST_COMMAND and GUEST_PORTS (where the
# guest's init finds its report port), see qemu.sh, uml.sh, vng.sh.

ENGINE='' ENGINE_NAME=''
GUEST_COMMAND=() GUEST_PORTS=''
readonly PROBE_LIMIT=8		# seconds a real kernel may take to reach its init on KVM

# Is a machine on KVM able to boot? /dev/kvm being there proves nothing: on some
# hosts a guest hangs. So boot the kernel that is to be tested with an init that
# only reports, against a deadline. Prints "yes" or the reason why not.
kvm_probe() {
	local dir=$WORK/probe
	[[ -e /dev/kvm ]] || { echo "there is no /dev/kvm"; return; }
	[[ -r /dev/kvm && -w /dev/kvm ]] || { echo "/dev/kvm may not be opened by $(id -un)"; return; }
	mkdir -p "$dir"
	ENGINE=kvm guest_prepare "$dir" </dev/null
	guest_start "$dir" --quiet --boot-limit "$PROBE_LIMIT" --limit "$((PROBE_LIMIT * 2))"
	if grep -q '"word": "boot"' "$dir/guest.json"; then
		echo yes
	elif grep -q '"waited_for": null' "$dir/guest.json"; then
		echo "a guest on KVM fails: $(tail -n 1 "$dir/console.log")"
	else
		echo "a guest on KVM does not boot within $PROBE_LIMIT s"
	fi
}

# The answer holds until the machine is rebooted or QEMU or the kernel changes.
kvm_answer() {
	local name file
	name=$(cat /proc/sys/kernel/random/boot_id - < <(qemu_version; sha256sum <"$KERNEL_IMAGE") | hash_of)
	file=$CACHE/kvm/$name
	if [[ ! -e $file ]]; then
		say "trying KVM with a real boot (at most $PROBE_LIMIT s)"
		mkdir -p "$CACHE/kvm"
		kvm_probe >"$WORK/kvm"
		mv "$WORK/kvm" "$file"
	fi
	cat "$file"
}

# What a kernel that is built here has to run on: uml or qemu.
engine_machine() {
	case $OPT_ENGINE in
	auto | uml) echo uml ;;
	*) echo qemu ;;
	esac
}

engine_select() {
	local answer
	case $OPT_ENGINE in
	auto)
		if [[ $KERNEL_KIND == uml ]]; then
			ENGINE=uml
			ENGINE_NAME="uml (boots in a second; --engine kvm or tcg for more than one processor)"
			return
		fi
		kvm_answer >"$WORK/answer"
		answer=$(<"$WORK/answer")
		ENGINE=kvm ENGINE_NAME="kvm (a real boot worked)"
		[[ $answer == yes ]] || ENGINE=tcg ENGINE_NAME="tcg ($answer)"
		;;
	kvm)
		kvm_answer >"$WORK/answer"
		answer=$(<"$WORK/answer")
		[[ $answer == yes ]] || die "--engine kvm: $answer"
		ENGINE=kvm ENGINE_NAME="kvm (asked for)"
		;;
	*)
		ENGINE=$OPT_ENGINE ENGINE_NAME="$OPT_ENGINE (asked for)"
		;;
	esac
	if [[ $ENGINE == vng ]]; then
		vng_check
		kvm_answer >"$WORK/answer"
		[[ $(<"$WORK/answer") == yes ]] || VNG_ACCEL=(--disable-kvm)
	fi
	if [[ $KERNEL_KIND == uml && $ENGINE != uml ]]; then
		die "$KERNEL_NAME is a UML executable: --engine $ENGINE cannot run it"
	elif [[ $KERNEL_KIND != uml && $ENGINE == uml ]]; then
		die "$KERNEL_NAME is no UML executable: --engine uml cannot run it"
	fi
}
