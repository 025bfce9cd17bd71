<?php
/**
 * Plugin Name: A model of the stand-in that saves without validation where it is asked to
 */

namespace WP_Ultimo\Models;

abstract class Base_Model {
	protected $skip_validation = false;

	public function set_skip_validation($skip_validation = false): void {
		$this->skip_validation = $skip_validation;
	}
}
