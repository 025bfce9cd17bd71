<?php
/**
 * What can keep the carried engine from running, as values, and in words.
 *
 * Nothing here looks at anything: what was found comes in. An obstacle is an array: its `code`, and, where it has
 * any, the words `what` and `hint` of whoever found it.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The obstacles.
 */
final class Obstacles {

	/**
	 * The system and the machines that the program is built for.
	 */
	const SYSTEM   = 'Linux';
	const MACHINES = array( 'x86_64', 'amd64' );

	/**
	 * Those where this very program is no use from a shell either.
	 */
	const OF_THE_PROGRAM = array( 'system', 'machine', 'unpinned', 'changed', 'no-start', 'version' );

	/**
	 * What keeps it from being started.
	 *
	 * @param array $facts `system`, `machine` (null for unknown), `lacking` (functions that PHP lacks to start programs), `pinned`
	 *                     (null for none), `digest` (null where it may not be read), and `can_run` (whether the program may be run).
	 * @return array|null Null for nothing.
	 */
	public static function before_start( array $facts ) {
		if ( self::SYSTEM !== $facts['system'] ) {
			return self::obstacle( 'system', $facts['system'] );
		}
		if ( null !== $facts['machine'] && ! in_array( $facts['machine'], self::MACHINES, true ) ) {
			return self::obstacle( 'machine', $facts['machine'] );
		}
		if ( array() !== $facts['lacking'] ) {
			return self::obstacle( 'forbidden', implode( ', ', $facts['lacking'] ) );
		}
		if ( null === $facts['pinned'] ) {
			return self::obstacle( 'unpinned' );
		}
		if ( null !== $facts['digest'] && $facts['pinned'] !== $facts['digest'] ) {
			return self::obstacle( 'changed' );
		}
		return null !== $facts['digest'] && $facts['can_run'] ? null : self::obstacle( 'run-bit' );
	}

	/**
	 * What it says itself about where it is, or how it failed to.
	 *
	 * @param array  $outcome Of `where`, see `Engine_Process`.
	 * @param string $version Of the plugin.
	 * @return array|null Null for nothing.
	 */
	public static function after_look( array $outcome, $version ) {
		$where = self::where( $outcome['out'] );
		// Its answer counts, not its exit code: where whoever started PHP ignores what becomes of children, there is none.
		if ( ! isset( $where['engine'] ) ) {
			return self::obstacle( 'no-start', Pass_Rules::how_it_ended( $outcome ) );
		}
		if ( $version !== $where['engine'] ) {
			return self::obstacle( 'version', $where['engine'] );
		}
		if ( null !== $where['problem'] || null === $where['ledger'] || null === $where['ledger_url'] ) {
			return self::obstacle( 'ledger', $where['problem'], $where['hint'] );
		}
		return null;
	}

	/**
	 * What `where` answered, in the types that we rely on.
	 *
	 * @param string $out What it printed.
	 * @return array Empty where it is no such answer; a text that is not there is null.
	 */
	public static function where( $out ) {
		$said = json_decode( $out, true );
		if ( ! is_array( $said ) ) {
			return array();
		}
		$where = array( 'settings' => array_values( array_filter( isset( $said['settings'] ) ? (array) $said['settings'] : array(), 'is_string' ) ) );
		foreach ( array( 'engine', 'wp_config', 'ledger', 'ledger_url', 'problem', 'hint' ) as $name ) {
			$where[ $name ] = isset( $said[ $name ] ) && is_string( $said[ $name ] ) ? $said[ $name ] : null;
		}
		return $where;
	}

	/**
	 * What is missing and what to do, in words.
	 *
	 * @param array $obstacle One.
	 * @return string
	 */
	public static function text( array $obstacle ) {
		$what = rtrim( $obstacle['what'], '.' );
		switch ( $obstacle['code'] ) {
			case 'system':
				/* translators: %s: an operating system. */
				return sprintf( __( 'The engine in this plugin needs Linux, and this is %s: run an engine for it on another machine.', 'closte-sync' ), $what );
			case 'machine':
				/* translators: %s: a kind of processor. */
				return sprintf( __( 'The engine in this plugin is built for x86_64, and this machine is %s: build one for it, or run it on another machine.', 'closte-sync' ), $what );
			case 'forbidden':
				/* translators: %s: names of functions. */
				return sprintf( __( 'PHP may not start programs here: its disable_functions forbids %s. Ask the host to allow it, or have cron run the engine.', 'closte-sync' ), $what );
			case 'unpinned':
				return __( 'The file bin/closte-sync.sha256 in the folder of this plugin is missing or damaged, so nobody knows whether the engine is the right one. Upload the zip again.', 'closte-sync' );
			case 'changed':
				return __( 'The engine in bin/closte-sync is not the one that belongs to this plugin: its SHA-256 is another. The upload was cut short, or somebody changed the file. Upload the zip again.', 'closte-sync' );
			case 'run-bit':
				return __( 'The file bin/closte-sync in the folder of this plugin may not be read or run, and PHP could not change that. Set its permissions to 755 by SFTP; if that does not help, the folder is mounted without the right to run programs (noexec): have cron run a copy of the engine.', 'closte-sync' );
			case 'no-start':
				/* translators: %s: what the program said, or how it ended. */
				return sprintf( __( 'The engine does not start here: %s. It needs Linux with glibc 2.17 or newer, and a folder whose programs may be run (not noexec).', 'closte-sync' ), $what );
			case 'version':
				/* translators: 1: a version, 2: a version. */
				return sprintf( __( 'The engine in this plugin is version %1$s and the plugin is %2$s: the update was not complete. Upload the zip again.', 'closte-sync' ), $what, Plugin::version() );
			default:
				$what = '' === $what ? __( 'it does not say where its ledger is', 'closte-sync' ) : $what;
				/* translators: %s: what it says itself. */
				return sprintf( __( 'The engine starts here, but cannot work: %s.', 'closte-sync' ), $what ) . ( '' === $obstacle['hint'] ? '' : ' ' . ucfirst( rtrim( $obstacle['hint'], '.' ) ) . '.' );
		}
	}

	/**
	 * An obstacle.
	 *
	 * @param string      $code Its code.
	 * @param string|null $what What was found.
	 * @param string|null $hint What to do.
	 * @return array
	 */
	private static function obstacle( $code, $what = null, $hint = null ) {
		return array(
			'code' => $code,
			'what' => mb_substr( (string) $what, 0, Engine::LONGEST, 'UTF-8' ),
			'hint' => mb_substr( (string) $hint, 0, Engine::LONGEST, 'UTF-8' ),
		);
	}
}
