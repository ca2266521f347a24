#pragma once

#include "measurement/response/response.h"
#include "pipeline/outputs/outputs.h"
#include "pipeline/run/run.h"

namespace retromass::run {

/// Notes in every lesion which length enters a sum and where it is from, and what it is merged into or split into.
void note_counted(const CaseFile& file, outputs::CaseResult& result);
/// What the response rules see of a case: recorded lengths and the reader's statements, never pixels.
response::Patient patient_of(const CaseFile& file, const outputs::CaseResult& result);

}  // namespace retromass::run
