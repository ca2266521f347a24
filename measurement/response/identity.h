#pragma once

#include "measurement/response/response.h"

/// Inside the room: what became of each lesion's identity. Lists; resolves nothing.
namespace retromass::response {

/// Vanished, reappeared, split, merged, resected and new lesions, suggestions and conflicts; each suggestion, reappearance and conflict is also a notice.
void add_identity(const Patient& patient, Assessment& out);

}  // namespace retromass::response
