#pragma once

#include "pipeline/run/run.h"

namespace retromass::run {

/// Hides the people of a case before it is assessed and written: dates of case file and result are shifted, UIDs mapped, readers renamed, and what the
/// scanner or the file system said in words is left out. Nothing is written that still has them.
void hide(CaseFile& file, outputs::CaseResult& result, const outputs::Deidentification& hiding);

}  // namespace retromass::run
