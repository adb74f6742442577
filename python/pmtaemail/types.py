Message = dict
