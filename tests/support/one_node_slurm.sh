#!/usr/bin/env bash
# A Slurm of this one machine with two GPUs that do not exist, for tests: one_node_slurm.sh start|controller|stop FOLDER
# Needs root (for the device nodes that stand for GPUs), slurmctld and slurmd. Everything lies in FOLDER; jobs and
# clients find it by SLURM_CONF=FOLDER/slurm.conf. `controller` starts slurmctld again after it was killed.
set -euo pipefail
action=$1
folder=$(cd "$2" && pwd)
export SLURM_CONF=$folder/slurm.conf

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# Slurm takes device files only.
make_gpus() {
  mkdir -p "$folder/gpus" "$folder/state" "$folder/spool"
  for number in 0 1; do mknod "$folder/gpus/nvidia$number" c 1 3; done
}

write_config() {
  local host
  host=$(hostname -s)
  printf 'NodeName=%s Name=gpu File=%s/gpus/nvidia[0-1]\n' "$host" "$folder" >"$folder/gres.conf"
  cat >"$SLURM_CONF" <<CONF
ClusterName=tests
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmUser=root
SlurmdUser=root
AuthType=auth/none
CredType=cred/none
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_min_interval=100000,sched_interval=1,batch_sched_delay=0
SwitchType=switch/none
ReturnToService=2
KillWait=5
JobRequeue=1
AccountingStorageType=accounting_storage/none
GresTypes=gpu
NodeName=$host NodeAddr=127.0.0.1 NodeHostname=$host CPUs=$(nproc) Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes=$host Default=YES OverSubscribe=FORCE:8 MaxTime=INFINITE State=UP
CONF
}

wait_until_idle() {
  for _ in $(seq 200); do
    case "$(sinfo -h -o %t 2>/dev/null)" in idle | mix | alloc) return ;; esac
    sleep 0.1
  done
  tail -n 20 "$folder"/*.log >&2
  exit 1
}

end_daemon() {
  local pid
  pid=$(cat "$folder/$1.pid" 2>/dev/null) || return 0
  kill "$pid" 2>/dev/null || return 0
  for _ in $(seq 100); do
    grep -q '^State:[[:space:]]*[^Z]' "/proc/$pid/status" 2>/dev/null || return 0
    sleep 0.05
  done
  kill -9 "$pid"
}

case $action in
  start)
    make_gpus
    write_config
    slurmctld -i -c
    slurmd
    wait_until_idle
    ;;
  controller)
    slurmctld
    wait_until_idle
    ;;
  stop)
    timeout 5 scancel -u "$(id -u)" 2>/dev/null || true
    for _ in $(seq 80); do
      [ -n "$(timeout 5 squeue -h 2>/dev/null)" ] || break
      sleep 0.1
    done
    end_daemon slurmctld
    end_daemon slurmd
    ;;
esac
