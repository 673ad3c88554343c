# A system in a folder, booted as a container: processes, mounts, network (10.9.0.1) and cgroups of its own. To be sourced,
# in the project's folder, with `root` (the system), `kept` (not empty: the folder stays), `log` and `program` set. What
# cannot be booted says so and ends with 77. Needs root and cgroup2.
unable() { printf '%s: cannot boot a systemd here: %s\n' "$program" "$1" >&2; exit 77; }
machine='' state=''
ended() {
    [ -z "$machine" ] || kill -KILL "$machine" 2>/dev/null || true
    wait 2>/dev/null || true
    [ -n "$kept" ] || rm -rf --one-file-system "$root"
    [ -z "${group:-}" ] || rmdir "$group/init.scope" "$group" 2>/dev/null || true
}
trap 'trap - ERR; ended' EXIT

# A cgroup of this run's own in cgroup2: that is the root of what the system inside sees.
hierarchy=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
[ -n "$hierarchy" ] || unable "no cgroup2 is mounted (mount -t cgroup2 none FOLDER)"
group=$hierarchy$(sed -n 's/^0:://p' /proc/self/cgroup)/wutong-boot-$$
mkdir "$group" 2>/dev/null || unable "no cgroup can be made in $hierarchy"

# boot ROOT: it runs when this returns; in_it COMMAND... runs something there.
inside='root=$0
    mount --make-rprivate / && ip link set lo up && ip address add 10.9.0.1/24 dev lo &&
    mount --bind "$root" "$root" && mount -t proc proc "$root/proc" && mount -t sysfs -o ro sysfs "$root/sys" &&
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup" && mount -t tmpfs -o mode=755 tmpfs "$root/dev" || exit 77
    for name in null zero full random urandom tty; do touch "$root/dev/$name" && mount --bind "/dev/$name" "$root/dev/$name"; done
    mkdir "$root/dev/pts" "$root/dev/shm" && mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts" &&
    ln -s pts/ptmx "$root/dev/ptmx" && ln -s /proc/self/fd "$root/dev/fd"
    for folder in dev/shm run tmp; do mount -t tmpfs tmpfs "$root/$folder"; done
    cd "$root" && pivot_root . . && umount --lazy . && mount --make-rshared / &&
    exec env -i container=wutong PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-target=journal'
in_it() { nsenter --target "$first" --all env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"; }
boot() {
    # Joins the cgroup first: the namespace begins where it is.
    bash -c 'echo $$ >"$0/cgroup.procs" && exec unshare --mount --pid --uts --ipc --net --cgroup --fork --kill-child bash -c "$@"' \
        "$group" "$inside" "$1" </dev/null >>"$log" 2>&1 &
    machine=$!
    for _ in $(seq 100); do
        kill -0 "$machine" 2>/dev/null || unable "its first process ended; $log says why"
        first=$(pgrep -P "$machine" -o || true)
        [ -n "$first" ] && [ "$(cat "/proc/$first/comm")" = systemd ] || { sleep 0.2; continue; }
        state=$(in_it systemctl is-system-running 2>/dev/null || true)
        case $state in running | degraded) break ;; esac # A unit of Debian's that fails in a container is no fault of ours.
        sleep 0.2
    done
    case ${state:-} in running | degraded) ;; *) unable "systemd says: ${state:-nothing} $(in_it systemctl list-jobs --no-pager 2>&1)" ;; esac
}

# test_profile HEARING: a courtroom of simulated devices, which play that hearing.
test_profile() {
    cat <<ROOM
$(sed -n '/^\[room\]/,/^room_name/p' hardware/profiles/example.toml)
[[seats]]
id = "judge"
roles = ["审判长"]
channel = 0
[microphones]
driver = "simulated"
file = "$1"
channels = 4
[[cameras]]
id = "bench"
name = "审判席"
driver = "simulated"
width = 640
height = 360
[selftest]
opening = "advise"
[storage]
data = "/var/lib/wutong"
reserve_gib = 0
[transcriber]
engine = "off"
[panel]
host = "10.9.0.1"
[center]
url = "https://center.court.example:8800"
mqtt_host = "center.court.example"
mqtt_port = 8883
[tls]
names = ["room3.court.example"]
ROOM
}
