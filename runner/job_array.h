// One submission to a cluster: an array of jobs, each of which does one attempt of a run.
//
// Its record lies in the sweep's folder as long as one of its jobs may still end, so that another expctl can
// take it up; the script that was sent stays.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/run_paths.h"
#include "core/run_spec.h"

namespace expctl {

struct JobTask {
  std::string run_id;
  std::string token;  ///< of the attempt's request
  int attempt = 1;    ///< its number, where the job is not requeued
};

struct JobArray {
  std::string key;  ///< by which it is found in the cluster's queue; unique
  std::string sweep_id;
  std::string executor;  ///< slurm | pbs
  std::string job_id;    ///< "": nobody knows whether the cluster has taken it
  std::vector<JobTask> tasks;
};

/// Writes the list that the script reads, then the record.
void write_job_array(const JobArray& array, const WorkspacePaths& workspace);
/// The cluster's id of an array that is there already.
void write_job_id(const JobArray& array, const WorkspacePaths& workspace);
/// Removes all but the script, and the log where jobs have said something.
void remove_job_array(const JobArray& array, const WorkspacePaths& workspace);
/// Those of all sweeps whose record is there. Throws Error for one that cannot be read.
std::vector<JobArray> read_job_arrays(const WorkspacePaths& workspace);

/// What a job script is made of.
struct JobScript {
  std::string name;  ///< of the job, for people
  std::string key;
  size_t tasks = 1;
  int64_t gpus = 0;
  int64_t cpus = 0;       ///< 0: the cluster's default
  double walltime_s = 0;  ///< 0: the cluster's default
  ExecutorSpec executor;
  std::string expctl;  ///< path of the program
  JobArrayPaths paths;
  std::filesystem::path folder;  ///< where jobs start
};

/// What a run asks of a cluster; the rest is left as it is.
JobScript job_script_for(const RunSpec& spec);

/// The lines after the options, the same for all clusters: picks the task's line of the list, becomes `expctl
/// job`. `index` is a shell's word for the task's number, from 0.
std::string script_body(const JobScript& script, const std::string& index);

}  // namespace expctl
